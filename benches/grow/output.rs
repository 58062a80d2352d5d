//! Writes the capture packet by packet.

use hookscope_testkit::story::{Cast, Step};
use hookscope_testkit::{Capture, Record};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// A capture file under way.
pub(crate) struct Output {
    file: BufWriter<File>,
    record: Vec<u8>,
    packets: u64,
    bytes: u64,
}

impl Output {
    /// Begins a file.
    pub(crate) fn create(path: &Path, link_type: u16) -> io::Result<Self> {
        let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
        file.write_all(&Capture::empty(link_type).to_pcap())?;
        Ok(Self { file, record: Vec::new(), packets: 0, bytes: 0 })
    }

    /// Appends a packet.
    pub(crate) fn packet(&mut self, time_ns: i64, step: &Step, cast: &Cast) -> io::Result<()> {
        let Record { wire_len, data, .. } = step.record();
        let header = [
            (time_ns / 1_000_000_000) as u32,
            (time_ns % 1_000_000_000) as u32,
            data.len() as u32,
            *wire_len,
        ];
        self.record.clear();
        self.record.extend(header.into_iter().flat_map(u32::to_le_bytes));
        step.play(cast, &mut self.record);
        self.packets += 1;
        self.bytes += u64::from(*wire_len);
        self.file.write_all(&self.record)
    }

    /// Ends the file: the number of packets and of their octets.
    pub(crate) fn finish(mut self) -> io::Result<(u64, u64)> {
        self.file.flush()?;
        Ok((self.packets, self.bytes))
    }
}
