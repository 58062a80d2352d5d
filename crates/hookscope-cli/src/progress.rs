//! Turns how much was read into a bar on the terminal, for inputs that take long enough to wonder.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{BinaryBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::text::{GLUE, duration};

/// How long to read before a bar appears.
const PATIENCE: Duration = Duration::from_millis(500);
/// How often it moves.
const PACE: Duration = Duration::from_millis(100);

/// A bar on standard error that appears when reading takes a while.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    /// When reading began.
    start: Instant,
    /// When to look again; never without a terminal.
    next: Option<Instant>,
}

impl Progress {
    /// A bar where it is `wanted` and standard error is a terminal; else nothing.
    pub(crate) fn new(wanted: bool) -> Self {
        let shown = wanted && io::stderr().is_terminal();
        let start = Instant::now();
        Self { bar: None, start, next: shown.then(|| start + PATIENCE) }
    }

    /// Moves the bar, if it is time to, to `done` of `total` bytes; of a pipe nobody knows the total.
    pub(crate) fn at(&mut self, done: u64, total: Option<u64>) {
        let Some(next) = self.next else { return };
        let now = Instant::now();
        if now < next {
            return;
        }
        self.next = Some(now + PACE);
        let bar = self.bar.get_or_insert_with(|| bar(total));
        bar.set_position(done);
        bar.set_message(pace(done, total, now - self.start));
        bar.tick();
    }
}

/// However the reading ends, no bar stays behind.
impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// How fast it went so far, and how long the rest takes at that rate. The bar itself would measure from when it
/// appears, and count what was read before as read in no time.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::cast_possible_truncation,
    reason = "an estimate"
)]
fn pace(done: u64, total: Option<u64>, elapsed: Duration) -> String {
    let rate = done as f64 / elapsed.as_secs_f64().max(f64::MIN_POSITIVE);
    let speed = format!("{}/s", BinaryBytes(rate as u64));
    match total {
        Some(total) if done > 0 => {
            let left = (total.saturating_sub(done) as f64 / rate).ceil();
            let left = if left < 100.0 { format!("{left} s") } else { duration(left).replace(GLUE, " ") };
            format!("{speed}, {left} left")
        }
        _ => speed,
    }
}

fn bar(total: Option<u64>) -> ProgressBar {
    let template = match total {
        Some(_) => "{bar:30} {percent}%  {binary_bytes} of {binary_total_bytes}, {msg}",
        None => "{spinner} {binary_bytes} read, {msg}",
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr_with_hz(10));
    bar.with_style(style)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_since_reading_began() {
        let second = Duration::from_secs(1);
        assert_eq!(pace(1 << 20, Some(3 << 20), second), "1.00 MiB/s, 2 s left");
        assert_eq!(pace(1 << 20, Some(201 << 20), second), "1.00 MiB/s, 3 min 20 s left");
        assert_eq!(pace(1 << 20, None, second * 2), "512.00 KiB/s");
        assert_eq!(pace(0, Some(10), Duration::ZERO), "0 B/s");
    }
}
