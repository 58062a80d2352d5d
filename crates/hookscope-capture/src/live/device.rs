//! Turns the name of an interface into its packets, with nanoseconds.

use std::collections::HashMap;
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

use hookscope::packet::{Frame, LinkType, Packet};
use hookscope::time::Timestamp;
use nix::errno::Errno;
use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{LinkAddr, bind};
use pcap::{Active, Capture, Inactive, Linktype, Precision};

use super::{Drops, Live, LiveError, LiveOptions, filter};
use crate::Batch;

/// All interfaces of the host; no device of the kernel bears this name.
const ANY: &str = "any";

/// An interface that can be captured from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Its addresses.
    pub addresses: Vec<String>,
    /// Whether it is up.
    pub is_up: bool,
}

/// The interfaces of this host, in the order of their names; `any` is one of them.
///
/// # Errors
///
/// [`LiveError::Other`] where the system does not tell.
pub fn interfaces() -> Result<Vec<Interface>, LiveError> {
    let listed = pcap::Device::list()
        .map_err(|error| LiveError::Other { name: "interfaces".to_owned(), message: error.to_string() })?;
    // What libpcap lists besides interfaces (USB, Bluetooth, netfilter's logs) carries no IP packets.
    let states = states()?;
    let mut interfaces: Vec<_> = listed
        .into_iter()
        .filter(|device| device.name == ANY || states.contains_key(&device.name))
        .map(|device| Interface {
            is_up: device.name == ANY || matches!(states.get(&device.name), Some(State::Up(_))),
            addresses: device.addresses.iter().map(|address| address.addr.to_string()).collect(),
            name: device.name,
        })
        .collect();
    interfaces.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(interfaces)
}

/// How an interface is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It is up, and bears this number: another one of the same name has another.
    Up(usize),
    Down,
    Gone,
}

/// How each interface is.
pub(super) fn states() -> Result<HashMap<String, State>, LiveError> {
    let all = getifaddrs()
        .map_err(|error| LiveError::Other { name: "interfaces".to_owned(), message: error.to_string() })?;
    let mut states = HashMap::new();
    for one in all {
        // Each interface has an entry for its link, and one for each of its addresses.
        let link = one.address.as_ref().and_then(|address| address.as_link_addr()).map(LinkAddr::ifindex);
        let state = match link {
            Some(number) if one.flags.contains(InterfaceFlags::IFF_UP) => State::Up(number),
            _ => State::Down,
        };
        match states.get(&one.interface_name) {
            Some(State::Up(_)) => {}
            _ => drop(states.insert(one.interface_name, state)),
        }
    }
    Ok(states)
}

/// An interface that is being captured from.
pub(super) struct Device {
    pub(super) name: String,
    pub(super) link_type: LinkType,
    /// How it was at the last look.
    pub(super) state: State,
    /// The number of the interface that it is bound to; 0 for all.
    number: usize,
    /// Tells it from the others in packets: see `Packet::interface`.
    interface: u16,
    capture: Capture<Active>,
    /// What libpcap counted at the last look: 32 bits, which wrap.
    counted: (u32, u32),
    drops: Drops,
}

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Device").field("name", &self.name).field("link_type", &self.link_type).finish()
    }
}

impl Device {
    /// Opens the interface of that name.
    pub(super) fn open(name: &str, lane: u16, options: &LiveOptions) -> Result<Self, LiveError> {
        let mut number = 0;
        if name != ANY {
            let states = states()?;
            match states.get(name) {
                Some(State::Up(its)) => number = *its,
                Some(_) => return Err(LiveError::Down { name: name.to_owned() }),
                None => {
                    let mut known: Vec<_> = states.into_keys().collect();
                    known.sort_unstable();
                    known.push(ANY.to_owned());
                    return Err(LiveError::NoSuchInterface {
                        name: name.to_owned(),
                        known: known.join(", "),
                    });
                }
            }
        }
        let other = |error: pcap::Error| LiveError::Other { name: name.to_owned(), message: said(&error) };
        let size = |octets: usize| i32::try_from(octets).unwrap_or(i32::MAX);
        let capture = Capture::<Inactive>::from_device(name)
            .map_err(other)?
            .precision(Precision::Nano)
            .promisc(options.promiscuous && name != ANY)
            .snaplen(size(options.snap_len as usize))
            .buffer_size(size(options.buffer))
            .timeout(Live::RETIRE_MS)
            .open()
            .map_err(|error| refused(name, &error))?;
        let mut capture = capture.setnonblock().map_err(other)?;
        let link_type = match cooked(&mut capture) {
            Linktype(number) => {
                let known = u16::try_from(number).ok().map(LinkType).filter(|known| known.is_supported());
                known.ok_or_else(|| LiveError::LinkType { name: name.to_owned(), link_type: number })?
            }
        };
        if !options.filter.is_empty() {
            let link = capture.get_datalink();
            capture
                .filter(&options.filter, true)
                .map_err(|error| filter::explain(link, &options.filter, &said(&error)))?;
        }
        Ok(Self {
            name: name.to_owned(),
            link_type,
            state: State::Up(number),
            number,
            interface: lane.wrapping_mul(1 << 10),
            capture,
            counted: (0, 0),
            drops: Drops::default(),
        })
    }

    /// Appends at most `room` packets that have come to `batch`, numbered from `frames` on. Never waits.
    pub(super) fn take(
        &mut self,
        room: usize,
        batch: &mut Batch,
        frames: &mut u64,
    ) -> Result<usize, LiveError> {
        let Self { capture, interface, link_type, .. } = self;
        let (interface, link_type) = (*interface, *link_type);
        let taken = capture.dispatch(Some(room.min(i32::MAX as usize)), |packet| {
            *frames += 1;
            let header = packet.header;
            // Opened for nanoseconds, libpcap puts these where microseconds used to be.
            let nanos = header.ts.tv_sec.saturating_mul(1_000_000_000).saturating_add(header.ts.tv_usec);
            batch.push(&Packet {
                time: Timestamp::from_nanos(nanos),
                frame: Frame::new(0, *frames),
                link_type,
                interface,
                wire_len: header.len,
                data: packet.data,
            });
        });
        match taken {
            Ok(taken) => Ok(taken),
            // libpcap says so at each read until the interface is up again: the states tell it once.
            Err(error) if is_down(&said(&error)) || said(&error).contains("disappeared") => Ok(0),
            Err(error) => Err(LiveError::Other { name: self.name.clone(), message: said(&error) }),
        }
    }

    /// What was dropped since it was opened.
    pub(super) fn drops(&mut self) -> Drops {
        if let Ok(now) = self.capture.stats() {
            let (kernel, interface) = self.counted;
            self.drops.kernel += u64::from(now.dropped.wrapping_sub(kernel));
            self.drops.interface += u64::from(now.if_dropped.wrapping_sub(interface));
            self.counted = (now.dropped, now.if_dropped);
        }
        self.drops
    }

    /// How it is, where `states` are those of all interfaces.
    pub(super) fn state_in(&self, states: &HashMap<String, State>) -> State {
        if self.name == ANY { State::Up(0) } else { states.get(&self.name).copied().unwrap_or(State::Gone) }
    }

    /// Goes on with the interface of that number, which bears the name of the one that is gone. Needs no privileges, as
    /// opening would.
    pub(super) fn rebind(&mut self, number: usize) -> Result<(), LiveError> {
        if number == self.number {
            return Ok(());
        }
        let other = |message: String| LiveError::Other { name: self.name.clone(), message };
        let all = getifaddrs().map_err(|error| other(error.to_string()))?;
        let mut links = all.filter_map(|one| one.address?.as_link_addr().copied());
        let Some(link) = links.find(|link| link.ifindex() == number) else { return Ok(()) };
        bind(self.capture.as_raw_fd(), &link).map_err(|error| other(error.to_string()))?;
        self.number = number;
        Ok(())
    }
}

/// Waits until one of `devices` has packets, for `timeout` at most, or until a signal comes.
pub(super) fn wait(devices: &[Device], timeout: Duration) -> Result<(), LiveError> {
    let mut fds: Vec<_> =
        devices.iter().map(|device| PollFd::new(device.capture.as_fd(), PollFlags::POLLIN)).collect();
    let millis = u16::try_from(timeout.as_millis()).unwrap_or(u16::MAX).max(1);
    match poll(&mut fds, PollTimeout::from(millis)) {
        // An interface that is down makes poll return at once, again and again.
        Ok(_) if fds.iter().any(|fd| fd.revents().is_some_and(|what| what.contains(PollFlags::POLLERR))) => {
            std::thread::sleep(timeout.min(Duration::from_millis(20)));
            Ok(())
        }
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(error) => Err(LiveError::Other { name: "interfaces".to_owned(), message: error.to_string() }),
    }
}

/// Makes libpcap name the interface of each packet where it can: Linux cooked version 2 instead of version 1.
fn cooked(capture: &mut Capture<Active>) -> Linktype {
    const LINUX_SLL2: Linktype = Linktype(276);
    let offered = capture.list_datalinks().unwrap_or_default();
    if capture.get_datalink() == Linktype(113) && offered.contains(&LINUX_SLL2) {
        let _ = capture.set_datalink(LINUX_SLL2);
    }
    capture.get_datalink()
}

/// What libpcap said, without the words that say that it was libpcap.
fn said(error: &pcap::Error) -> String {
    let text = error.to_string();
    text.strip_prefix("libpcap error: ").unwrap_or(&text).to_owned()
}

/// Why an interface could not be opened.
fn refused(name: &str, error: &pcap::Error) -> LiveError {
    let (name, message) = (name.to_owned(), said(error));
    let text = message.to_ascii_lowercase();
    if text.contains("permission") || text.contains("not permitted") {
        LiveError::PermissionDenied { name }
    } else if is_down(&message) {
        LiveError::Down { name }
    } else {
        LiveError::Other { name, message }
    }
}

fn is_down(message: &str) -> bool {
    message.contains("is not up") || message.contains("went down") || message.contains("Network is down")
}
