//! Turns how much was read into a bar on the terminal, for inputs that take long enough to wonder.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How long to read before a bar appears.
const PATIENCE: Duration = Duration::from_millis(500);
/// How often it moves.
const PACE: Duration = Duration::from_millis(100);

/// A bar on standard error that appears when reading takes a while.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    /// When to look again; never without a terminal.
    next: Option<Instant>,
}

impl Progress {
    /// A bar where it is `wanted` and standard error is a terminal; else nothing.
    pub(crate) fn new(wanted: bool) -> Self {
        let shown = wanted && io::stderr().is_terminal();
        Self { bar: None, next: shown.then(|| Instant::now() + PATIENCE) }
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

fn bar(total: Option<u64>) -> ProgressBar {
    let template = match total {
        Some(_) => "{bar:30} {percent}%  {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left",
        None => "{spinner} {bytes} read, {bytes_per_sec}",
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr_with_hz(10));
    bar.with_style(style)
}
