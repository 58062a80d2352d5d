//! Compressed files that are small and become large. What they become is a pcap header and zeros, sixteen of which are
//! an empty packet.

use std::io::{self, Write};

use crate::{Capture, link};

/// A record header of an empty packet.
const PACKET: u64 = 16;

fn header() -> Vec<u8> {
    Capture::empty(link::ETHERNET).to_pcap()
}

/// The checksum of gzip over bytes given bit by bit.
fn crc32(crc: u32, byte: u8) -> u32 {
    (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
}

const GZIP: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

pub(super) fn gzip(packets: u64, out: &mut dyn Write) -> io::Result<()> {
    let table: Vec<u32> = (0..=255).map(|byte| crc32(0, byte)).collect();
    let header = header();
    out.write_all(&GZIP)?;
    // A stored block with the file header and a zero.
    let stored = header.len() as u16 + 1;
    out.write_all(&[&[0][..], &stored.to_le_bytes(), &(!stored).to_le_bytes(), &header, &[0]].concat())?;
    // Eight times "258 octets from one octet back" in the fixed code: 13 bits each, thus 13 octets.
    const MATCH: u128 = 0b00000_10100011;
    let matches: u128 = (0..8).fold(0, |bits, at| bits | MATCH << (13 * at));
    let rounds = (packets * PACKET).div_ceil(258 * 8).max(1);
    // Three bits for the header of the last block: bits are shifted by three from here on.
    let mut carry: u128 = 0b011;
    for _ in 0..rounds {
        let bits = matches << 3 | carry;
        out.write_all(&bits.to_le_bytes()[..13])?;
        carry = bits >> 104;
    }
    // The end of the block is seven zeros.
    out.write_all(&[carry as u8, 0])?;
    let zeros = rounds * 258 * 8 + 1;
    let step = |crc: u32, byte: u8| crc >> 8 ^ table[usize::from(crc as u8 ^ byte)];
    let crc = header.iter().fold(!0, |crc, byte| step(crc, *byte));
    let crc = !(0..zeros).fold(crc, |crc, _| step(crc, 0));
    let length = (header.len() as u64 + zeros) as u32;
    out.write_all(&[crc.to_le_bytes(), length.to_le_bytes()].concat())
}

pub(super) fn gzip_members(packets: u64, out: &mut dyn Write) -> io::Result<()> {
    let header = header();
    let crc = !header.iter().fold(!0, |crc, byte| crc32(crc, *byte));
    let length = header.len() as u16;
    out.write_all(&[&GZIP[..], &[1], &length.to_le_bytes(), &(!length).to_le_bytes(), &header].concat())?;
    out.write_all(&[crc.to_le_bytes(), u32::from(length).to_le_bytes()].concat())?;
    let empty = [&GZIP[..], &[3, 0], &[0; 8]].concat();
    (0..packets).try_for_each(|_| out.write_all(&empty))
}

/// A block of zstd: raw (0) or one octet repeated (1).
fn zstd_block(kind: u32, length: u32, last: bool, content: &[u8]) -> Vec<u8> {
    let header = length << 3 | kind << 1 | u32::from(last);
    [&header.to_le_bytes()[..3], content].concat()
}

const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// A window of `2^(10 + exponent)` octets.
fn zstd_frame(exponent: u8) -> Vec<u8> {
    [&ZSTD[..], &[0, exponent << 3]].concat()
}

pub(super) fn zstd(packets: u64, out: &mut dyn Write) -> io::Result<()> {
    const BLOCK: u32 = 128 << 10;
    let header = header();
    out.write_all(&zstd_frame(15))?;
    out.write_all(&zstd_block(0, header.len() as u32, false, &header))?;
    for _ in 0..(packets * PACKET).div_ceil(u64::from(BLOCK)) {
        out.write_all(&zstd_block(1, BLOCK, false, &[0]))?;
    }
    out.write_all(&zstd_block(0, 0, true, &[]))
}

pub(super) fn zstd_window(_packets: u64, out: &mut dyn Write) -> io::Result<()> {
    let header = header();
    out.write_all(&zstd_frame(31))?;
    out.write_all(&zstd_block(0, header.len() as u32, true, &header))
}

pub(super) fn zstd_frames(packets: u64, out: &mut dyn Write) -> io::Result<()> {
    let header = header();
    out.write_all(&zstd_frame(15))?;
    out.write_all(&zstd_block(0, header.len() as u32, true, &header))?;
    let empty = [zstd_frame(15), zstd_block(0, 0, true, &[])].concat();
    (0..packets).try_for_each(|_| out.write_all(&empty))
}

pub(super) fn lz4(packets: u64, out: &mut dyn Write) -> io::Result<()> {
    const BLOCK: usize = 4 << 20;
    let header = header();
    // Version 1, independent blocks of 4 MiB at most, no checksums. The last octet is a checksum of the two before.
    out.write_all(&[0x04, 0x22, 0x4d, 0x18, 0x60, 0x70, 0x73])?;
    out.write_all(&(header.len() as u32 | 1 << 31).to_le_bytes())?;
    out.write_all(&header)?;
    // One literal, a match of one octet back that fills the block but for its last five octets, which are literals.
    let matched = BLOCK - 1 - 5;
    let mut block = vec![0x1f, 0, 1, 0];
    let more = matched - 4 - 15;
    block.extend(vec![255; more / 255]);
    block.push((more % 255) as u8);
    block.extend([0x50, 0, 0, 0, 0, 0]);
    for _ in 0..(packets * PACKET).div_ceil(BLOCK as u64) {
        out.write_all(&(block.len() as u32).to_le_bytes())?;
        out.write_all(&block)?;
    }
    out.write_all(&[0; 4])
}
