//! Attacks by the blocks of a pcapng file.

use std::io::{self, Write};

/// A packet: a SYN without a link header, of 40 octets.
fn packet(number: u64) -> Vec<u8> {
    let client = 0x0b00_0000 + number as u32;
    let syn = super::tcp::segment(40_000, 9_443, 1, 0, super::tcp::SYN, &[]);
    super::packets::ipv4(client, 0x0af4_0101, 6, &syn)
}

fn block(out: &mut dyn Write, kind: u32, body: &[u8]) -> io::Result<()> {
    let length = (body.len() as u32 + 12).to_le_bytes();
    out.write_all(&[&kind.to_le_bytes()[..], &length, body, &length].concat())
}

fn section(out: &mut dyn Write) -> io::Result<()> {
    block(out, 0x0a0d_0d0a, &[&0x1a2b_3c4d_u32.to_le_bytes()[..], &[1, 0, 0, 0], &[0xff; 8]].concat())
}

fn interface(out: &mut dyn Write, link_type: u16, options: &[u8]) -> io::Result<()> {
    block(out, 1, &[&link_type.to_le_bytes()[..], &[0, 0], &262_144_u32.to_le_bytes(), options].concat())
}

fn enhanced(out: &mut dyn Write, interface: u32, number: u64, options: &[u8]) -> io::Result<()> {
    let data = packet(number);
    let micros = 1_748_736_000_000_000 + number;
    let length = data.len() as u32;
    let fields =
        [interface, (micros >> 32) as u32, micros as u32, length, length].map(u32::to_le_bytes).concat();
    block(out, 6, &[&fields[..], &data, options].concat())
}

/// Link types that are raw IP now and then, and else nothing that is known.
fn link_type(number: u64) -> u16 {
    if number.is_multiple_of(2) { 101 } else { (number as u16) | 0x8000 }
}

pub(super) fn interfaces(count: u64, out: &mut dyn Write) -> io::Result<()> {
    section(out)?;
    for number in 0..count {
        interface(out, link_type(number), &[])?;
        // Those past what a packet can name are described and not used.
        enhanced(out, (number as u32).min(65_535), number, &[])?;
    }
    Ok(())
}

pub(super) fn sections(count: u64, out: &mut dyn Write) -> io::Result<()> {
    for number in 0..count {
        section(out)?;
        interface(out, link_type(number), &[])?;
        enhanced(out, 0, number, &[])?;
    }
    Ok(())
}

pub(super) fn empty_options(count: u64, out: &mut dyn Write) -> io::Result<()> {
    let options = [1, 0, 0, 0].repeat(500);
    section(out)?;
    interface(out, 101, &options)?;
    for number in 0..count {
        enhanced(out, 0, number, &options)?;
        interface(out, 101, &options)?;
    }
    Ok(())
}

/// Packets, then a block that states a length which it does not have.
pub(super) fn last_block(count: u64, kind: u32, stated: u32, out: &mut dyn Write) -> io::Result<()> {
    section(out)?;
    interface(out, 101, &[])?;
    for number in 0..count {
        enhanced(out, 0, number, &[])?;
    }
    out.write_all(&[kind.to_le_bytes(), stated.to_le_bytes()].concat())?;
    // Something to find behind it, for who would look.
    (0..1_000).try_for_each(|number| enhanced(out, 0, number, &[]))
}
