//! Capture files: reads plain pcap, writes pcap and pcapng in every byte order and resolution tests want.

mod read;
mod write;

/// The byte order of a capture file's own headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteOrder {
    /// Least significant byte first, as almost every capturing host writes.
    Little,
    /// Most significant byte first.
    Big,
}

impl ByteOrder {
    fn u16(self, value: u16) -> [u8; 2] {
        match self {
            Self::Little => value.to_le_bytes(),
            Self::Big => value.to_be_bytes(),
        }
    }

    fn u32(self, value: u32) -> [u8; 4] {
        match self {
            Self::Little => value.to_le_bytes(),
            Self::Big => value.to_be_bytes(),
        }
    }

    fn read_u32(self, bytes: &[u8]) -> u32 {
        let bytes = bytes[..4].try_into().expect("four bytes");
        match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        }
    }
}

/// The unit of a capture file's times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// Microseconds: what falls below is cut off.
    Micro,
    /// Nanoseconds.
    Nano,
}

impl Resolution {
    fn unit_ns(self) -> i64 {
        match self {
            Self::Micro => 1_000,
            Self::Nano => 1,
        }
    }

    fn pcap_magic(self) -> u32 {
        match self {
            Self::Micro => 0xa1b2_c3d4,
            Self::Nano => 0xa1b2_3c4d,
        }
    }
}
