//! A network namespace with a pair of interfaces: what is sent on one is captured on the other.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread::sleep;
use std::time::{Duration, Instant};

use hookscope_testkit::Capture;
use hookscope_testkit::replay::{Frames, Sender};

/// What to capture from.
pub(crate) const INTERFACE: &str = "near";
/// What to send on.
const FAR: &str = "far";

/// A network of its own, gone with the test.
pub(crate) struct Network {
    name: String,
    folder: PathBuf,
}

impl Network {
    /// A network; nothing where none can be made here, which is said.
    pub(crate) fn new() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("hookscope-{}-{number}", std::process::id());
        let added = Command::new("ip").args(["netns", "add", &name]).output();
        match added {
            Ok(output) if output.status.success() => {}
            Ok(output) => {
                eprintln!("not tested: {}", String::from_utf8_lossy(&output.stderr));
                return None;
            }
            Err(error) => {
                eprintln!("not tested: ip: {error}");
                return None;
            }
        }
        // Where whom privileges are given up to may write.
        let folder = std::env::temp_dir().join(&name);
        std::fs::create_dir(&folder).unwrap();
        assert!(Command::new("chmod").arg("777").arg(&folder).status().unwrap().success());
        let network = Self { name, folder };
        // Nothing but what is sent: no neighbour discovery.
        network.run(&[
            "sysctl",
            "-qw",
            "net.ipv6.conf.all.disable_ipv6=1",
            "net.ipv6.conf.default.disable_ipv6=1",
        ]);
        network.run(&["ip", "link", "set", "lo", "up"]);
        network.add_interfaces();
        Some(network)
    }

    pub(crate) fn add_interfaces(&self) {
        // Captured segments may be longer than any packet on a wire.
        let pair = ["mtu", "65535", "type", "veth", "peer", "name", FAR, "mtu", "65535"];
        self.run(&[&["ip", "link", "add", INTERFACE], &pair[..]].concat());
        self.run(&["ip", "link", "set", INTERFACE, "up"]);
        self.run(&["ip", "link", "set", FAR, "up"]);
    }

    /// A command in this network.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]).stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, words: &[&str]) -> String {
        let (program, args) = words.split_first().unwrap();
        let output = self.command(program).args(args).output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// A path of a file that does not exist.
    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.join(name).to_str().unwrap().to_owned()
    }

    /// `hookscope live` with these arguments, once it captures.
    pub(crate) fn live(&self, args: &[&str]) -> Live {
        let interface = ["live", "-i", INTERFACE, "-B", "8MiB", "--color", "never"];
        let live = self.start(&[&interface, args].concat());
        live.wait_for_error("capturing from");
        live
    }

    /// `hookscope` with these arguments.
    pub(crate) fn start(&self, args: &[&str]) -> Live {
        let mut command = self.command(env!("CARGO_BIN_EXE_hookscope"));
        let child = command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        Live::new(child)
    }

    /// Sends a capture at its own pace. Says when the last packet was sent.
    pub(crate) fn replay(&self, capture: &Path) -> Instant {
        self.replay_in_background(capture, false).finish()
    }

    pub(crate) fn replay_at_full_speed(&self, capture: &Path) -> Instant {
        self.replay_in_background(capture, true).finish()
    }

    /// Sends a capture while the test goes on: this test binary once more, in the network.
    pub(crate) fn replay_in_background(&self, capture: &Path, fast: bool) -> Replay {
        let own = std::env::current_exe().unwrap();
        let mut command = self.command(own.to_str().unwrap());
        command.args(["--ignored", "--exact", "network::sends_a_capture", "--nocapture"]);
        command.env("REPLAY", capture).env("FAST", if fast { "1" } else { "" });
        Replay(command.stdout(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.name]).status();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A capture that is being sent.
pub(crate) struct Replay(Child);

impl Replay {
    /// Waits until all is sent.
    pub(crate) fn finish(mut self) -> Instant {
        assert!(self.0.wait().unwrap().success());
        Instant::now()
    }
}

impl Drop for Replay {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
#[ignore = "it is what the other tests run in their networks"]
fn sends_a_capture() {
    let Some(path) = std::env::var_os("REPLAY") else { return };
    let frames = Frames::of(&Capture::read(&std::fs::read(path).unwrap()));
    let mut sender = Sender::new(FAR).unwrap();
    if std::env::var("FAST").is_ok_and(|fast| !fast.is_empty()) {
        sender.at_full_speed(&frames).unwrap();
    } else {
        sender.at_own_pace(&frames).unwrap();
    }
}

/// A `hookscope live` that runs.
pub(crate) struct Live {
    child: Child,
    out: Receiver<(Instant, String)>,
    err: Receiver<(Instant, String)>,
}

/// What a `hookscope live` left.
pub(crate) struct Left {
    pub(crate) status: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

fn lines(stream: impl Read + Send + 'static) -> Receiver<(Instant, String)> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines() {
            let _ = sender.send((Instant::now(), line.unwrap()));
        }
    });
    receiver
}

impl Live {
    fn new(mut child: Child) -> Self {
        let out: ChildStdout = child.stdout.take().unwrap();
        let err: ChildStderr = child.stderr.take().unwrap();
        Self { child, out: lines(out), err: lines(err) }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line on standard output that holds `text`.
    pub(crate) fn wait_for(&self, text: &str) -> (Instant, String) {
        let line = wait(&self.out, text);
        line.unwrap_or_else(|seen| panic!("nobody said '{text}', but\n{seen}"))
    }

    pub(crate) fn wait_for_error(&self, text: &str) -> (Instant, String) {
        let line = wait(&self.err, text);
        line.unwrap_or_else(|seen| panic!("nobody complained '{text}', but\n{seen}"))
    }

    pub(crate) fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.id().to_string()]).status().unwrap().success());
    }

    /// Waits for its end.
    pub(crate) fn left(mut self) -> Left {
        let begun = Instant::now();
        let status = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break status,
                None if begun.elapsed() > Duration::from_secs(60) => panic!("it does not end"),
                None => sleep(Duration::from_millis(20)),
            }
        };
        let rest = |lines: &Receiver<(Instant, String)>| {
            lines.iter().map(|(_, line)| line + "\n").collect::<String>()
        };
        Left { status: status.code(), out: rest(&self.out), err: rest(&self.err) }
    }

    /// Tells it to end, when what was sent has arrived.
    pub(crate) fn stop(self) -> Left {
        sleep(Duration::from_millis(200));
        self.signal("-TERM");
        self.left()
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn wait(lines: &Receiver<(Instant, String)>, text: &str) -> Result<(Instant, String), String> {
    let until = Instant::now() + Duration::from_secs(30);
    let mut seen = String::new();
    while let Ok((at, line)) = lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
        if line.contains(text) {
            return Ok((at, line));
        }
        seen = seen + &line + "\n";
    }
    Err(seen)
}

/// A capture of the fixtures.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name)
}
