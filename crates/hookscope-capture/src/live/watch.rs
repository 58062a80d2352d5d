//! Running traffic -> what becomes known of it, for a program with a loop of its own.

use std::time::Duration;

use hookscope::packet::Packet;
use hookscope::report::{Event, Input};
use hookscope::time::Timestamp;
use hookscope::{Config, Inspection, Inspector};

use super::{Change, Drops, Live, LiveError, LiveOptions};
use crate::Batch;

/// Captures from interfaces, judges, and says what becomes known.
///
/// ```no_run
/// use std::time::Duration;
///
/// use hookscope::Config;
/// use hookscope::report::Event;
/// use hookscope_capture::live::{LiveOptions, Watch};
///
/// let options = LiveOptions { interfaces: vec!["any".into()], ..LiveOptions::default() };
/// let mut watch = Watch::open(options, Config::default())?;
/// loop {
///     for event in watch.next(Duration::from_millis(100))? {
///         if let Event::Notice(notice) = event {
///             println!("{} {}", notice.at, notice.verdict().code);
///         }
///     }
/// }
/// # #[allow(unreachable_code)]
/// # Ok::<(), hookscope_capture::live::LiveError>(())
/// ```
#[derive(Debug)]
pub struct Watch {
    live: Live,
    inspector: Inspector,
    batch: Batch,
    /// What was dropped, as the engine knows it, and when that was counted.
    drops: Drops,
    drops_at: Timestamp,
}

impl Watch {
    /// Opens the interfaces. Packets are kept by the kernel from then on, up to [`LiveOptions::buffer`]; privileges are not
    /// needed any more. [`Config::watch`] is set.
    ///
    /// # Errors
    ///
    /// [`LiveError`] as [`Live::open`].
    pub fn open(options: LiveOptions, config: Config) -> Result<Self, LiveError> {
        let live = Live::open(options)?;
        let inspector = Inspector::new(Config { watch: true, ..config });
        let (drops, drops_at) = (Drops::default(), Timestamp::MIN);
        Ok(Self { live, inspector, batch: Batch::default(), drops, drops_at })
    }

    /// Waits up to `timeout` for packets, judges those that came, and gives back what became known, in order of time.
    /// Often that is nothing: call it again.
    ///
    /// # Errors
    ///
    /// [`LiveError`] as [`Live::read`]. What was captured before is judged by [`finish`](Self::finish) all the same.
    pub fn next(&mut self, timeout: Duration) -> Result<Vec<Event>, LiveError> {
        let read = self.live.read(&mut self.batch, timeout);
        // What came before an error counts.
        self.observe();
        let until = read?;
        self.note_drops(until);
        self.inspector.advance(until);
        Ok(self.inspector.take_events())
    }

    /// The engine, for its counts.
    pub const fn inspector(&self) -> &Inspector {
        &self.inspector
    }

    /// What was dropped so far, as of the last second.
    pub const fn drops(&self) -> Drops {
        self.live.drops()
    }

    /// What happened to the interfaces since this was last asked, where they are [waited for](LiveOptions::wait).
    pub fn take_changes(&mut self) -> Vec<Change> {
        self.live.take_changes()
    }

    /// Takes what the kernel still has, and judges what is open. Gives back what became known by that, and all that was
    /// found with what a report says of its input.
    pub fn finish(mut self) -> (Vec<Event>, Inspection, Input) {
        // An interface that is gone has nothing left.
        let _ = self.live.close(&mut self.batch);
        self.observe();
        if let Some(clock) = self.inspector.clock() {
            self.note_drops(clock);
        }
        self.inspector.close();
        let events = self.inspector.take_events();
        let files = self.live.link_types().map(|(name, _)| name.to_owned()).collect();
        let Drops { kernel, interface } = self.live.drops();
        let by_kernel = (kernel > 0).then(|| format!("{kernel} packets were dropped by the kernel"));
        let by_interface = (interface > 0)
            .then(|| format!("{interface} packets were dropped by an interface or its driver"));
        let warnings = by_kernel.into_iter().chain(by_interface).collect();
        (events, self.inspector.finish(), Input { files, warnings, ..Input::default() })
    }

    /// Has the engine see what was captured, once.
    fn observe(&mut self) {
        let packets: Vec<Packet<'_>> = self.batch.packets().collect();
        self.inspector.observe_batch(&packets);
        drop(packets);
        self.batch.clear();
    }

    /// Lets the engine know of packets that it did not get, since drops were last counted.
    fn note_drops(&mut self, clock: Timestamp) {
        let drops = self.live.drops();
        let lost = (drops.kernel + drops.interface).saturating_sub(self.drops.kernel + self.drops.interface);
        if lost > 0 {
            let look = i64::try_from(Live::LOOK.as_nanos()).unwrap_or(i64::MAX);
            let counted = Timestamp::from_nanos(clock.as_nanos().saturating_sub(look));
            self.inspector.lost(lost, self.drops_at.min(counted), clock);
        }
        (self.drops, self.drops_at) = (drops, clock);
    }
}

#[cfg(test)]
mod tests {
    use hookscope::packet::{Frame, LinkType};

    use super::*;

    #[test]
    fn what_was_captured_and_not_seen_yet_is_seen_once_at_the_end() {
        let mut watch = Watch::open(LiveOptions::default(), Config::default()).unwrap();
        let (time, frame) = (Timestamp::from_nanos(1), Frame::new(0, 1));
        let data = &[0; 60];
        let packet = Packet { time, frame, link_type: LinkType::ETHERNET, interface: 0, wire_len: 60, data };
        // As an interface leaves it that fails while it is read.
        watch.batch.push(&packet);
        watch.next(Duration::ZERO).unwrap();
        watch.next(Duration::ZERO).unwrap();
        watch.batch.push(&packet);
        let (_, inspection, input) = watch.finish();
        assert_eq!(inspection.report(&input).capture.packets, 2);
    }
}
