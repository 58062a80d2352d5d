//! Who talks to whom: endpoints, and the key that both directions of a TCP connection share.

use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::OnceLock;

use foldhash::SharedSeed;
use foldhash::fast::{FoldHasher, SeedableRandomState};

/// Hashes with a key that is drawn once for each process.
///
/// Who makes packets chooses addresses and ports, and with a key that is known can choose them so that all have one
/// hash: every search would then walk through all connections. No answer depends on these hashes, only where things
/// lie in tables; and nothing goes through a table in its order.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Keyed;

impl BuildHasher for Keyed {
    type Hasher = FoldHasher<'static>;

    #[inline]
    fn build_hasher(&self) -> Self::Hasher {
        static KEYED: OnceLock<SeedableRandomState> = OnceLock::new();
        KEYED.get_or_init(draw_key).build_hasher()
    }
}

#[cold]
fn draw_key() -> SeedableRandomState {
    static SHARED: OnceLock<SharedSeed> = OnceLock::new();
    // The standard library's tables have a key from the system's randomness.
    let draw = || RandomState::new().hash_one(0);
    SeedableRandomState::with_seed(draw(), SHARED.get_or_init(|| SharedSeed::from_u64(draw())))
}

/// An IP address in sixteen bytes: IPv4 as its IPv4-mapped IPv6 address (RFC 4291, section 2.5.5.2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Address([u64; 2]);

impl Address {
    const V4_MAPPED: u64 = 0xffff_0000_0000;

    /// From the four bytes of an IPv4 header.
    pub(crate) const fn v4(bytes: [u8; 4]) -> Self {
        Self::of_v4(u32::from_be_bytes(bytes))
    }

    /// From the number that an IPv4 address is.
    #[inline]
    const fn of_v4(bits: u32) -> Self {
        Self([0, Self::V4_MAPPED | bits as u64])
    }

    /// From the sixteen bytes of an IPv6 header.
    pub(crate) const fn v6(bytes: [u8; 16]) -> Self {
        let both = u128::from_be_bytes(bytes);
        Self([(both >> 64) as u64, both as u64])
    }

    /// The address as the standard library has it.
    pub(crate) fn ip(self) -> IpAddr {
        let [high, low] = self.0;
        match self.as_v4() {
            Some(bits) => IpAddr::V4(Ipv4Addr::from_bits(bits)),
            None => IpAddr::V6(Ipv6Addr::from_bits(u128::from(high) << 64 | u128::from(low))),
        }
    }

    /// The four bytes of an IPv4 address.
    #[inline]
    const fn as_v4(self) -> Option<u32> {
        let [high, low] = self.0;
        if high == 0 && low >> 32 == 0xffff { Some(low as u32) } else { None }
    }
}

impl From<IpAddr> for Address {
    fn from(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(ip) => Self::v4(ip.octets()),
            IpAddr::V6(ip) => Self::v6(ip.octets()),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ip().fmt(f)
    }
}

/// An address and a port: `10.0.0.1:443`, `[fd00::1]:443`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Endpoint {
    /// The IP address.
    pub(crate) address: Address,
    /// The TCP or UDP port.
    pub(crate) port: u16,
}

impl Endpoint {
    /// The same as the standard library has it.
    pub(crate) fn socket(&self) -> SocketAddr {
        SocketAddr::new(self.address.ip(), self.port)
    }

    /// Bits in which the servers of one cluster differ.
    #[inline]
    pub(crate) const fn low_bits(&self) -> usize {
        self.address.0[1] as usize ^ self.port as usize
    }

    /// The hash by which shards are chosen; the same on every run.
    #[inline]
    pub(crate) fn hash(&self) -> u64 {
        // All that differs between IPv4 addresses is in the lower 32 bits, to which the port is added as the highest.
        let [high, low] = self.address.0;
        let word = low ^ high.rotate_left(29) ^ u64::from(self.port) << 48;
        let product = u128::from(word) * 0x9e37_79b9_7f4a_7c15;
        (product >> 64) as u64 ^ product as u64
    }
}

impl From<SocketAddr> for Endpoint {
    fn from(at: SocketAddr) -> Self {
        Self { address: at.ip().into(), port: at.port() }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address.ip() {
            IpAddr::V4(ip) => write!(f, "{ip}:{}", self.port),
            IpAddr::V6(ip) => write!(f, "[{ip}]:{}", self.port),
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Which end of a [`FlowKey`] sent a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The endpoint that sorts first.
    Low,
    /// The endpoint that sorts last.
    High,
}

impl End {
    /// The other end.
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Low => Self::High,
            Self::High => Self::Low,
        }
    }
}

/// The two endpoints of a flow in sorted order, so that both directions have the same key.
///
/// Tunnels are no part of it: a packet inside and outside an overlay belongs to one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FlowKey {
    low: Address,
    high: Address,
    ports: [u16; 2],
}

impl FlowKey {
    /// The key of a packet from `source` to `destination`, and which end of the key its source is.
    #[inline(always)]
    pub(crate) fn of(source: Endpoint, destination: Endpoint) -> (Self, End) {
        let ([a, b], [c, d]) = (source.address.0, destination.address.0);
        let (p, q) = (source.port, destination.port);
        // Without branches: who sends comes as a surprise on half of all packets.
        let joined = |word: u64, port: u16| u128::from(word) << 16 | u128::from(port);
        let is_low = (a < c) | ((a == c) & (joined(b, p) <= joined(d, q)));
        let choose = |one: u64, other: u64| std::hint::select_unpredictable(is_low, one, other);
        let key = Self {
            low: Address([choose(a, c), choose(b, d)]),
            high: Address([choose(c, a), choose(d, b)]),
            ports: std::hint::select_unpredictable(is_low, [p, q], [q, p]),
        };
        (key, if is_low { End::Low } else { End::High })
    }

    /// The same of a packet of IPv4, by its addresses and ports as numbers.
    #[inline(always)]
    pub(crate) fn of_v4(addresses: [u32; 2], ports: [u16; 2]) -> (Self, End) {
        // An endpoint is a number below 2^48, and the order of two is that of their numbers.
        let joined = |at: usize| u64::from(addresses[at]) << 16 | u64::from(ports[at]);
        let (source, destination) = (joined(0), joined(1));
        let (low, high) = (source.min(destination), source.max(destination));
        let address = |endpoint: u64| Address([0, Address::V4_MAPPED | endpoint >> 16]);
        let key = Self { low: address(low), high: address(high), ports: [low as u16, high as u16] };
        (key, if source <= destination { End::Low } else { End::High })
    }

    /// The addresses and ports of a flow between two addresses of IPv4, in its order.
    #[inline]
    pub(crate) const fn v4(&self) -> Option<([u32; 2], [u16; 2])> {
        match (self.low.as_v4(), self.high.as_v4()) {
            (Some(low), Some(high)) => Some(([low, high], self.ports)),
            _ => None,
        }
    }

    /// The key with these addresses and ports, which are in order.
    #[inline]
    pub(crate) const fn with_v4([low, high]: [u32; 2], ports: [u16; 2]) -> Self {
        Self { low: Address::of_v4(low), high: Address::of_v4(high), ports }
    }

    /// One endpoint of the flow.
    pub(crate) const fn endpoint(&self, end: End) -> Endpoint {
        let [low, high] = self.ports;
        match end {
            End::Low => Endpoint { address: self.low, port: low },
            End::High => Endpoint { address: self.high, port: high },
        }
    }

    /// The endpoint with the higher port, the first one of two equal: most likely the client's, whose port is
    /// ephemeral (RFC 6335, section 6).
    #[inline]
    pub(crate) fn ephemeral(&self) -> Endpoint {
        let [low, high] = self.ports;
        self.endpoint(if low >= high { End::Low } else { End::High })
    }

    /// The hash by which tables find it; another one in every process.
    #[inline]
    pub fn hash(&self) -> u64 {
        let mut hasher = Keyed.build_hasher();
        if let (Some(low), Some(high)) = (self.low.as_v4(), self.high.as_v4()) {
            // All that differs is twelve octets.
            let [a, b] = self.ports.map(u32::from);
            hasher.write_u64(u64::from(low) << 32 | u64::from(high));
            hasher.write_u32(a << 16 | b);
        } else {
            Hash::hash(self, &mut hasher);
        }
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(text: &str) -> Endpoint {
        let at: SocketAddr = text.parse().unwrap();
        Endpoint { address: at.ip().into(), port: at.port() }
    }

    #[test]
    fn both_directions_share_a_key() {
        for (a, b) in [("10.0.0.1:443", "10.0.0.2:9443"), ("[fd00::1]:9", "[fd00::1]:8")] {
            let (a, b) = (endpoint(a), endpoint(b));
            let ((there, from), (back, to)) = (FlowKey::of(a, b), FlowKey::of(b, a));
            assert_eq!(there, back);
            assert_eq!(there.hash(), back.hash());
            assert_ne!(from, to);
            assert_eq!(there.endpoint(from), a);
            assert_eq!(there.endpoint(to), b);
        }
    }

    #[test]
    fn the_key_of_ipv4_is_that_of_any_address() {
        let numbers =
            [(0, 0), (1, 0), (0x0a00_0001, 443), (0x0a00_0002, 443), (0x0a00_0001, 9443), (u32::MAX, 9)];
        for (a, p) in numbers {
            for (b, q) in numbers {
                let at = |bits: u32, port| Endpoint { address: Address::v4(bits.to_be_bytes()), port };
                assert_eq!(FlowKey::of_v4([a, b], [p, q]), FlowKey::of(at(a, p), at(b, q)));
            }
        }
    }

    #[test]
    fn hashes_of_ipv4_depend_on_all_of_the_key() {
        let mut hashes = Vec::new();
        for bit in 0..96 {
            let one = |from: u32| if (from..from + 32).contains(&bit) { 1 << (bit - from) } else { 0_u32 };
            let ports = one(64);
            let low =
                Endpoint { address: Address::v4((one(0) & 0x7fff_ffff).to_be_bytes()), port: ports as u16 };
            let address = Address::v4((0x8000_0000 ^ one(32)).to_be_bytes());
            hashes.push(FlowKey::of(low, Endpoint { address, port: (ports >> 16) as u16 }).0.hash());
        }
        hashes.sort_unstable();
        hashes.dedup();
        // Bits 31 and 63 are those that keep the order.
        assert!(hashes.len() >= 94, "{}", hashes.len());
    }

    #[test]
    fn addresses_that_are_made_for_a_known_key_have_hashes_of_their_own() {
        // With foldhash's fixed seed, the second half of these addresses is multiplied by zero.
        let prefix = 0x082e_fa98_ec4e_6c89_u64.rotate_right(16);
        let client = |number| Endpoint { address: Address([prefix, number]), port: 40_000 };
        let server = endpoint("[fd00::1]:9443");
        let fixed =
            |number| foldhash::fast::FixedState::default().hash_one(FlowKey::of(client(number), server).0);
        assert_eq!(fixed(1), fixed(2), "the attack works where the key is known");
        let mut hashes: Vec<u64> =
            (0..1_000).map(|number| FlowKey::of(client(number), server).0.hash()).collect();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), 1_000);
    }

    #[test]
    fn clients_are_shared_out_evenly() {
        let v4 = |number: u32| Address::v4((0x0a00_0000 | (number % 7)).to_be_bytes());
        let v6 = |number: u32| Address([0xfd00 << 48, u64::from(number % 7)]);
        for shares in [2, 3, 8] {
            for address in [&v4 as &dyn Fn(u32) -> Address, &v6] {
                let mut counts = vec![0_u32; shares];
                for number in 0..28_000 {
                    let hash = Endpoint { address: address(number), port: 32_768 + number as u16 }.hash();
                    counts[((u128::from(hash) * shares as u128) >> 64) as usize] += 1;
                }
                let even = 28_000 / shares as u32;
                assert!(counts.iter().all(|count| count.abs_diff(even) < even / 10), "{counts:?}");
            }
        }
    }

    #[test]
    fn endpoints_print_as_people_write_them() {
        for text in ["10.0.0.1:443", "[fd00::1]:9443"] {
            assert_eq!(endpoint(text).to_string(), text);
        }
    }
}
