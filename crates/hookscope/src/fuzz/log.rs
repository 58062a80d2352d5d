//! Lines of a log: what is read of them, and what a capture shows of the calls that they name.

use std::sync::LazyLock;

use crate::diagnosis::message::explain;
use crate::fuzz::engine::LIMITS;
use crate::log::Reader;
use crate::packet::{Frame, LinkType};
use crate::report::Input;
use crate::time::Timestamp;
use crate::{Config, Inspection, Inspector, Keep, Packet};

/// 2026-11-22T15:29:04 UTC, when the lines of the seeds were written.
const TIME: i64 = 1_795_361_344_952_216_000;

/// A capture in which a connection is refused at that time, and a name is not found.
static CAPTURE: LazyLock<Inspection> = LazyLock::new(|| {
    #[rustfmt::skip]
    let packets: [&[u8]; 4] = [
        &[0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 10, 10, 244, 1, 1,
          0xbd, 0xf6, 0x24, 0xe3, 0, 0, 0, 7, 0, 0, 0, 0, 0x50, 0x02, 255, 255, 0, 0, 0, 0],
        &[0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 10, 244, 1, 1, 10, 0, 0, 10,
          0x24, 0xe3, 0xbd, 0xf6, 0, 0, 0, 0, 0, 0, 0, 8, 0x50, 0x14, 0, 0, 0, 0, 0, 0],
        &[0x45, 0, 0, 53, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 10, 10, 96, 0, 10, 0x9c, 0x40, 0, 53, 0, 33, 0, 0,
          0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2, b'n', b'x', 3, b's', b'v', b'c', 0, 0, 1, 0, 1],
        &[0x45, 0, 0, 53, 0, 0, 0, 0, 64, 17, 0, 0, 10, 96, 0, 10, 10, 0, 0, 10, 0, 53, 0x9c, 0x40, 0, 33, 0, 0,
          0, 7, 0x81, 0x83, 0, 1, 0, 0, 0, 0, 0, 0, 2, b'n', b'x', 3, b's', b'v', b'c', 0, 0, 1, 0, 1],
    ];
    let mut inspector = Inspector::new(Config { keep: Keep::All, limits: LIMITS, ..Config::default() });
    for (number, data) in (1..).zip(packets) {
        inspector.observe(&Packet {
            time: Timestamp::from_nanos(TIME - 5_000_000 + number as i64 * 1_000_000),
            frame: Frame::new(0, number),
            link_type: LinkType::RAW,
            interface: 0,
            wire_len: data.len() as u32,
            data,
        });
    }
    inspector.finish()
});

/// A text of lines; a line that begins with a zero byte is longer than is read.
pub fn log(data: &[u8]) {
    let mut reader = Reader::default();
    reader.file("fuzz.log");
    let mut lines = 0;
    for line in data.split(|byte| *byte == b'\n') {
        lines += 1;
        match line.split_first() {
            Some((0, rest)) => reader.line(rest, true),
            _ => reader.line(line, false),
        }
    }
    let is_log = reader.end();
    let log = reader.finish();
    assert!(is_log.is_ok() || log.calls() == 0, "calls of a log that is none");
    assert!(log.calls() <= lines);
    let first = String::from_utf8_lossy(data.split(|byte| *byte == b'\n').next().unwrap_or_default());
    let explained = explain(&first);
    assert!(explained.candidates.len() <= 3 && !explained.next.is_empty());
    if log.calls() > 0 {
        let report = CAPTURE.report_with(&Input::default(), &log);
        assert_eq!(report.log.len(), log.calls());
        let tied: Vec<_> = report.log.iter().filter(|line| line.repeats.is_none()).collect();
        let calls = |line: &&&crate::report::schema::LogLine| line.connection.is_some();
        assert!(tied.iter().filter(calls).count() <= 1, "one call cannot be what two lines speak of");
    }
}
