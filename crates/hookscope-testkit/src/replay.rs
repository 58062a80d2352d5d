//! Sends the packets of a capture on an interface: what programs are tested with that capture from one. Linux only, and
//! for root.

use std::io::{self, IoSlice};
use std::os::fd::{AsRawFd, OwnedFd};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::ifaddrs::getifaddrs;
use nix::sys::socket::{AddressFamily, MsgFlags, MultiHeaders, SockFlag, SockType, bind, sendmmsg, socket};

use crate::{Capture, link};

/// An interface to send on.
#[derive(Debug)]
pub struct Sender {
    socket: OwnedFd,
    /// Packets that were sent.
    pub packets: u64,
    /// Octets of them.
    pub octets: u64,
}

/// How many packets are handed to the kernel at once.
const BATCH: usize = 64;

impl Sender {
    /// Sends on the interface of that name.
    ///
    /// # Errors
    /// If there is no such interface, or the user may not send on it.
    pub fn new(interface: &str) -> io::Result<Self> {
        let link = getifaddrs()?
            .filter(|one| one.interface_name == interface)
            .find_map(|one| one.address?.as_link_addr().copied())
            .ok_or_else(|| {
                io::Error::new(io::ErrorKind::NotFound, format!("{interface}: no such interface"))
            })?;
        // Without a protocol: nothing is received.
        let socket = socket(AddressFamily::Packet, SockType::Raw, SockFlag::empty(), None)?;
        bind(socket.as_raw_fd(), &link)?;
        Ok(Self { socket, packets: 0, octets: 0 })
    }

    /// Sends all packets with the time between them that they had.
    ///
    /// # Errors
    /// If the interface does not take a packet.
    pub fn at_own_pace(&mut self, frames: &Frames) -> io::Result<()> {
        let begun = Instant::now();
        for (after, frame) in &frames.0 {
            sleep((begun + *after).saturating_duration_since(Instant::now()));
            self.send(std::slice::from_ref(frame))?;
        }
        Ok(())
    }

    /// Sends all packets as fast as the interface takes them.
    ///
    /// # Errors
    /// If the interface does not take a packet.
    pub fn at_full_speed(&mut self, frames: &Frames) -> io::Result<()> {
        self.paced(frames, None)
    }

    /// Sends all packets, at most `rate` of them a second.
    ///
    /// # Errors
    /// If the interface does not take a packet.
    pub fn paced(&mut self, frames: &Frames, rate: Option<f64>) -> io::Result<()> {
        let begun = Instant::now();
        let mut batch = Vec::with_capacity(BATCH);
        for (number, chunk) in frames.0.chunks(BATCH).enumerate() {
            if let Some(rate) = rate {
                let due = begun + Duration::from_secs_f64((number * BATCH) as f64 / rate);
                while Instant::now() < due {
                    std::hint::spin_loop();
                }
            }
            batch.clear();
            batch.extend(chunk.iter().map(|(_, frame)| frame.as_slice()));
            self.send(&batch)?;
        }
        Ok(())
    }

    fn send(&mut self, frames: &[impl AsRef<[u8]>]) -> io::Result<()> {
        let slices: Vec<[IoSlice<'_>; 1]> =
            frames.iter().map(|frame| [IoSlice::new(frame.as_ref())]).collect();
        let mut sent = 0;
        while sent < slices.len() {
            let rest = &slices[sent..];
            let mut headers = MultiHeaders::<()>::preallocate(rest.len(), None);
            let to = vec![None; rest.len()];
            match sendmmsg(self.socket.as_raw_fd(), &mut headers, rest, to, [], MsgFlags::empty()) {
                Ok(results) => sent += results.count(),
                // The interface's queue is full, and will not be for long.
                Err(Errno::ENOBUFS | Errno::EAGAIN | Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.packets += frames.len() as u64;
        self.octets += frames.iter().map(|frame| frame.as_ref().len() as u64).sum::<u64>();
        Ok(())
    }
}

/// Ethernet frames, each with its time since the first.
#[derive(Clone, Debug)]
pub struct Frames(Vec<(Duration, Vec<u8>)>);

impl Frames {
    /// The packets of a capture; those of other link types get an Ethernet header.
    pub fn of(capture: &Capture) -> Self {
        let first = capture.records.first().map_or(0, |record| record.time_ns);
        let since = |time_ns: i64| Duration::from_nanos(u64::try_from(time_ns - first).unwrap_or(0));
        let frames = capture.records.iter();
        let frames = frames
            .filter_map(|record| Some((since(record.time_ns), ethernet(capture.link_type, &record.data)?)));
        Self(frames.collect())
    }

    /// The same packets between other addresses: both ends of each change alike, in their first two octets.
    pub fn move_to(&mut self, change: u16) {
        for (_, frame) in &mut self.0 {
            let is_ipv4 = frame.get(12..14) == Some(&[0x08, 0x00]);
            for at in [26, 30].into_iter().filter(|_| is_ipv4) {
                for (octet, change) in frame[at..].iter_mut().zip(change.to_be_bytes()) {
                    *octet ^= change;
                }
            }
        }
    }
}

fn ethernet(link_type: u16, data: &[u8]) -> Option<Vec<u8>> {
    let ip = match link_type {
        link::ETHERNET => return Some(data.to_vec()),
        link::LINUX_SLL => data.get(16..)?,
        link::LINUX_SLL2 => data.get(20..)?,
        link::NULL | link::LOOP => data.get(4..)?,
        _ => data,
    };
    let ether_type: [u8; 2] = match ip.first()? >> 4 {
        4 => [0x08, 0x00],
        6 => [0x86, 0xdd],
        _ => return None,
    };
    Some([&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2], ether_type.as_slice(), ip].concat())
}
