//! Turns running traffic into batches of packets: interfaces, through libpcap.
//!
//! Opening needs privileges, reading does not: open, give them up, then read. One thread reads all interfaces and
//! waits for none of them longer than it is told to; between two reads the kernel keeps what comes in its buffers, and
//! counts what does not fit. Several interfaces become one capture in time order, as several files do.

mod device;
mod error;
mod filter;
mod lanes;
mod watch;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hookscope::packet::LinkType;
use hookscope::time::Timestamp;

use crate::Batch;
use device::{Device, State};
pub use device::{Interface, interfaces};
pub use error::LiveError;
pub use filter::{check_filter, default_filter};
use lanes::Lanes;
pub use watch::Watch;

/// What to capture, and how.
#[derive(Clone, Debug)]
pub struct LiveOptions {
    /// Names of interfaces; `any` for all of them.
    pub interfaces: Vec<String>,
    /// A filter in libpcap's language; everything passes an empty one.
    pub filter: String,
    /// How many octets of a packet to keep at most.
    pub snap_len: u32,
    /// How many octets of packets the kernel may keep for each interface until they are read.
    pub buffer: usize,
    /// Whether to take packets, too, that are for other hosts.
    pub promiscuous: bool,
    /// The most packets of a batch.
    pub batch: usize,
    /// Whether interfaces that are down are waited for.
    pub wait: bool,
    /// Options are added over time: end a literal with `..LiveOptions::default()`.
    #[doc(hidden)]
    pub _more: (),
}

impl Default for LiveOptions {
    fn default() -> Self {
        Self {
            interfaces: Vec::new(),
            filter: String::new(),
            snap_len: 262_144,
            buffer: 64 << 20,
            promiscuous: false,
            batch: 8_192,
            wait: false,
            _more: (),
        }
    }
}

/// What did not reach us, since the beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drops {
    /// Packets that the kernel's buffer had no room for.
    pub kernel: u64,
    /// Packets that an interface or its driver lost.
    pub interface: u64,
}

/// Something that happened to an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// It went down; it is waited for.
    Down(String),
    /// It does not exist any more; one of the same name is waited for.
    Gone(String),
    /// It is up again.
    Up(String),
}

/// Interfaces that are being captured from.
#[derive(Debug)]
pub struct Live {
    devices: Vec<Device>,
    lanes: Lanes,
    options: LiveOptions,
    frames: u64,
    /// When to look next whether the interfaces are still there, and what was dropped.
    next_look: Option<SystemTime>,
    drops: Drops,
    changes: Vec<Change>,
}

impl Live {
    /// How long a packet may lie in the kernel's buffer before it is handed on, in milliseconds. A block of packets is
    /// handed on when it is full or this old.
    const RETIRE_MS: i32 = 20;
    /// From how long ago on nothing can be on its way any more where nothing is left to read: blocks are handed on
    /// late by about a tick of the kernel's clock.
    const PASSAGE: Duration = Duration::from_millis(60);
    /// How often interfaces are looked after, and drops are counted.
    pub const LOOK: Duration = Duration::from_secs(1);

    /// Opens all interfaces. Packets are kept by the kernel from then on.
    ///
    /// # Errors
    ///
    /// [`LiveError`] for the first interface that cannot be captured from, or where the filter is none.
    pub fn open(options: LiveOptions) -> Result<Self, LiveError> {
        let devices: Vec<Device> = (0..)
            .zip(&options.interfaces)
            .map(|(lane, name)| Device::open(name, lane, &options))
            .collect::<Result<_, _>>()?;
        let lanes = Lanes::new(devices.len());
        let (frames, changes) = (0, Vec::new());
        Ok(Self { devices, lanes, options, frames, next_look: None, drops: Drops::default(), changes })
    }

    /// Appends what has come to `batch`, in time order; where nothing has, waits for it up to `timeout`. Gives back the
    /// time up to which all packets have been handed out: the kernel's clock, where the wire is quiet.
    ///
    /// # Errors
    ///
    /// [`LiveError`] where an interface has gone away, or has gone down and is not waited for.
    pub fn read(&mut self, batch: &mut Batch, timeout: Duration) -> Result<Timestamp, LiveError> {
        self.look_after()?;
        let room = self.options.batch.max(1);
        if let [only] = self.devices.as_mut_slice() {
            let mut taken = only.take(room, batch, &mut self.frames)?;
            if taken == 0 && !timeout.is_zero() {
                device::wait(&self.devices, timeout)?;
                if let [only] = self.devices.as_mut_slice() {
                    taken = only.take(room, batch, &mut self.frames)?;
                }
            }
            let quiet = quiet_until(Self::PASSAGE);
            return Ok(batch.last_time().filter(|_| taken > 0).unwrap_or(quiet));
        }
        let waiting = self.lanes.is_empty() && !timeout.is_zero();
        let mut taken = self.fill(room)?;
        if taken == 0 && waiting {
            device::wait(&self.devices, timeout)?;
            taken = self.fill(room)?;
        }
        let _ = taken;
        let until = self.lanes.known_until(quiet_until(Self::PASSAGE));
        self.lanes.hand_out(until, batch, &mut self.frames);
        Ok(until)
    }

    /// Reads from each interface what it has, up to a batch; from the others, too, where one fails.
    fn fill(&mut self, room: usize) -> Result<usize, LiveError> {
        let (mut taken, mut failed) = (0, None);
        for (device, lane) in self.devices.iter_mut().zip(self.lanes.iter_mut()) {
            let before = lane.len();
            if before < room
                && let Err(error) = device.take(room - before, lane.batch(), &mut 0)
            {
                failed.get_or_insert(error);
            }
            lane.drained = lane.len() < room;
            taken += lane.len() - before;
        }
        failed.map_or(Ok(taken), Err)
    }

    /// Sees once a second whether the interfaces are up, and what was dropped.
    fn look_after(&mut self) -> Result<(), LiveError> {
        let now = SystemTime::now();
        if self.next_look.is_some_and(|next| now < next && next < now + Self::LOOK * 2) {
            return Ok(());
        }
        self.next_look = Some(now + Self::LOOK);
        self.count_drops();
        let states = device::states()?;
        for device in &mut self.devices {
            let state = device.state_in(&states);
            let name = || device.name.clone();
            match (device.state, state) {
                (_, State::Gone) if !self.options.wait => return Err(LiveError::Gone { name: name() }),
                (_, State::Down) if !self.options.wait => return Err(LiveError::WentDown { name: name() }),
                (State::Up(_), State::Down) => self.changes.push(Change::Down(name())),
                (State::Up(_) | State::Down, State::Gone) => self.changes.push(Change::Gone(name())),
                (State::Down | State::Gone, State::Up(_)) => self.changes.push(Change::Up(name())),
                _ => {}
            }
            if let State::Up(number) = state {
                device.rebind(number)?;
            }
            device.state = state;
        }
        Ok(())
    }

    fn count_drops(&mut self) {
        let mut drops = Drops::default();
        for device in &mut self.devices {
            let of_device = device.drops();
            drops.kernel += of_device.kernel;
            drops.interface += of_device.interface;
        }
        self.drops = drops;
    }

    /// What was dropped, as of the last second or [`Self::close`].
    pub const fn drops(&self) -> Drops {
        self.drops
    }

    /// What happened to the interfaces since this was last asked.
    pub fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    /// The interfaces' names and link types.
    pub fn link_types(&self) -> impl Iterator<Item = (&str, LinkType)> {
        self.devices.iter().map(|device| (device.name.as_str(), device.link_type))
    }

    /// Reads what the kernel still has, without waiting, and counts drops a last time.
    ///
    /// # Errors
    ///
    /// [`LiveError`] as [`Self::read`].
    pub fn close(&mut self, batch: &mut Batch) -> Result<(), LiveError> {
        self.count_drops();
        let room = usize::MAX;
        if let [only] = self.devices.as_mut_slice() {
            only.take(self.options.batch, batch, &mut self.frames)?;
            return Ok(());
        }
        let filled = self.fill(room);
        self.lanes.hand_out(Timestamp::from_nanos(i64::MAX), batch, &mut self.frames);
        filled.map(drop)
    }
}

/// Now, less `passage`.
fn quiet_until(passage: Duration) -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_nanos(i64::try_from(since.saturating_sub(passage).as_nanos()).unwrap_or(i64::MAX))
}
