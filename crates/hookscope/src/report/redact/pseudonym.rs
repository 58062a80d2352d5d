//! A name or an address -> another that stands for it: the same for the same, as long as the key is the same.

use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use sha2::{Digest, Sha256};

/// What pseudonyms depend on beside what they stand for.
#[derive(Clone)]
pub(super) struct Key([u8; 32]);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    /// One that nobody knows: of what the standard library draws from the system.
    pub(super) fn drawn() -> Self {
        let mut hash = Sha256::new();
        for number in 0..4_u8 {
            hash.update(RandomState::new().hash_one(number).to_be_bytes());
        }
        Self(hash.finalize().into())
    }

    /// That of a text that is kept secret.
    pub(super) fn of(secret: &str) -> Self {
        Self(Sha256::new().chain_update("hookscope redact 1\0").chain_update(secret).finalize().into())
    }

    fn digest(&self, kind: &str, value: &[u8]) -> u64 {
        let hash =
            Sha256::new().chain_update(self.0).chain_update(kind).chain_update([0]).chain_update(value);
        let bytes: [u8; 32] = hash.finalize().into();
        bytes.first_chunk().copied().map_or(0, u64::from_be_bytes)
    }

    /// `name-3fa2c1d04b`, and `name-3fa2c1d04b.redacted` for one with dots.
    pub(super) fn name(&self, name: &str) -> String {
        let name = name.trim_end_matches('.').to_lowercase();
        let tail = if name.contains('.') { ".redacted" } else { "" };
        format!("name-{:010x}{tail}", self.digest("name", name.as_bytes()) >> 24)
    }

    /// An address that is nobody's: of 240.0.0.0/4, which is reserved (RFC 1112, section 4), or of a network of unique
    /// local addresses (RFC 4193). Addresses that mean the host itself, or none, stay.
    pub(super) fn address(&self, address: IpAddr) -> IpAddr {
        if address.is_loopback() || address.is_unspecified() {
            return address;
        }
        match address {
            IpAddr::V4(ip) => {
                let host = self.digest("ipv4", &ip.octets()) as u32 & 0x0fff_ffff;
                // The last of them is the broadcast address.
                Ipv4Addr::from_bits(0xf000_0000 | host.min(0x0fff_fffe)).into()
            }
            IpAddr::V6(ip) => {
                const NETWORK: u128 = 0xfd72_6564_6163_7465;
                let host = u128::from(self.digest("ipv6", &ip.octets()));
                Ipv6Addr::from_bits(NETWORK << 64 | host).into()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_things_have_equal_pseudonyms_under_one_key_and_others_under_another() {
        let (one, same, other) = (Key::of("a"), Key::of("a"), Key::of("b"));
        assert_eq!(one.name("hook.default.svc"), same.name("Hook.default.svc."));
        assert_ne!(one.name("hook.default.svc"), other.name("hook.default.svc"));
        assert_ne!(Key::drawn().name("a"), Key::drawn().name("a"));
        let address: IpAddr = "10.0.0.1".parse().unwrap();
        assert_eq!(one.address(address), same.address(address));
        assert_ne!(one.address(address), other.address(address));
    }

    #[test]
    fn pseudonyms_show_what_they_stand_for() {
        let key = Key::of("a");
        let name = key.name("hook.default.svc");
        assert!(name.starts_with("name-") && name.ends_with(".redacted") && name.len() == 24, "{name}");
        assert!(!key.name("default").contains('.'));
        let of = |text: &str| key.address(text.parse().unwrap()).to_string();
        assert!(of("10.0.0.1").starts_with("24") || of("10.0.0.1").starts_with("25"));
        assert!(of("fd00::1").starts_with("fd72:6564:6163:7465:"));
        assert_eq!((of("127.0.0.1"), of("0.0.0.0")), ("127.0.0.1".into(), "0.0.0.0".into()));
    }
}
