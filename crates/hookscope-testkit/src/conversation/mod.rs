//! Tells the story of one TCP connection and produces its packets as Ethernet frames.
//!
//! Both ends behave like real ones: sequence numbers advance, each packet acknowledges what its sender has received
//! so far, holes are reported as SACK blocks, identifications count up, checksums are right. Every verb returns the
//! conversation, so that a test reads like the exchange it describes:
//!
//! ```
//! use hookscope_testkit::{Conversation, tls};
//!
//! let capture = Conversation::new("10.0.0.10:40000", "10.244.1.1:9443")
//!     .syn().after_us(300).syn_ack().ack()
//!     .client(&tls::client_hello(Some("hook.default.svc"), &["h2"], true, 0))
//!     .server_ack()
//!     .wait_ms(9_900).client_fin().server_rst()
//!     .capture();
//! assert_eq!(capture.records.len(), 7);
//! ```

mod endpoint;
mod icmp;
mod segment;
mod tls;
mod verbs;

use crate::{Capture, Record, link};
use endpoint::Endpoint;
use std::net::SocketAddr;

pub use segment::flags;

const STEP_NS: i64 = 50_000;

/// One TCP connection in the telling; see the [module](self).
#[derive(Debug, Clone)]
pub struct Conversation {
    client: Endpoint,
    server: Endpoint,
    mss: Option<usize>,
    timestamps: bool,
    /// Time of the last packet, or of the first one as long as there is none.
    clock_ns: i64,
    /// How much later the next packet is; the default step if nothing was said.
    gap_ns: Option<i64>,
    lost: bool,
    undelivered: bool,
    records: Vec<Record>,
}

impl Conversation {
    /// A connection between two addresses such as `10.0.0.10:40000` or `[fd00::10]:40000`, starting at time zero.
    ///
    /// # Panics
    /// If an address is none, or if one is IPv4 and the other IPv6.
    pub fn new(client: &str, server: &str) -> Self {
        let parse = |text: &str| match text.parse::<SocketAddr>() {
            Ok(address) => address,
            Err(_) => panic!("{text:?} is not an address with a port"),
        };
        let (client, server) = (parse(client), parse(server));
        assert_eq!(client.is_ipv4(), server.is_ipv4(), "{client} and {server} are of different IP versions");
        let (client, server) = (Endpoint::new(client, server), Endpoint::new(server, client));
        Self {
            client,
            server,
            mss: None,
            timestamps: false,
            clock_ns: 0,
            gap_ns: Some(0),
            lost: false,
            undelivered: false,
            records: Vec::new(),
        }
        .sequence_numbers(1_000_000_000, 3_000_000_000)
    }

    /// Sets the sequence numbers of the two SYNs (or of the first bytes, if the story starts without handshake).
    pub fn sequence_numbers(mut self, client: u32, server: u32) -> Self {
        assert!(self.records.is_empty(), "sequence numbers are chosen before the first packet");
        self.client.start_at(client, server);
        self.server.start_at(server, client);
        self
    }

    /// Announces this maximum segment size and cuts data into segments of it; without, each verb is one segment.
    ///
    /// # Panics
    /// If the size is zero.
    pub fn mss(mut self, bytes: u16) -> Self {
        assert!(bytes > 0, "a segment holds at least one byte");
        self.mss = Some(usize::from(bytes));
        self
    }

    /// Puts the timestamps option into every packet.
    pub fn timestamps(mut self) -> Self {
        self.timestamps = true;
        self
    }

    /// The next packet is at this time, in nanoseconds since the epoch.
    pub fn at_ns(mut self, time_ns: i64) -> Self {
        self.clock_ns = time_ns;
        self.gap_ns = Some(0);
        self
    }

    /// The next packet is at this time, in milliseconds since the epoch.
    pub fn at_ms(self, time_ms: i64) -> Self {
        self.at_ns(time_ms * 1_000_000)
    }

    /// The next packet is this much later than the last one, instead of 50 µs; several waits add up.
    pub fn after_us(mut self, micros: i64) -> Self {
        self.gap_ns = Some(self.gap_ns.unwrap_or(0) + micros * 1_000);
        self
    }

    /// The next packet is this much later than the last one, instead of 50 µs; several waits add up.
    pub fn wait_ms(self, millis: i64) -> Self {
        self.after_us(millis * 1_000)
    }

    /// What the next verb sends arrives, but the capture does not hold it.
    pub fn lost(mut self) -> Self {
        self.lost = true;
        self
    }

    /// What the next verb sends is in the capture but never arrives: the peer's packets do not acknowledge it, until
    /// a retransmission gets through.
    pub fn unacknowledged(mut self) -> Self {
        self.undelivered = true;
        self
    }

    /// The sequence number of the client's next byte.
    pub fn client_next(&self) -> u32 {
        self.client.next
    }

    /// The sequence number of the server's next byte.
    pub fn server_next(&self) -> u32 {
        self.server.next
    }

    /// The packets so far.
    pub fn capture(self) -> Capture {
        Capture { link_type: link::ETHERNET, records: self.records }
    }

    fn tick(&mut self) -> i64 {
        self.clock_ns += self.gap_ns.take().unwrap_or(STEP_NS);
        self.clock_ns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times_us(conversation: Conversation) -> Vec<i64> {
        conversation.capture().records.iter().map(|record| record.time_ns / 1_000).collect()
    }

    #[test]
    fn packets_are_fifty_microseconds_apart_unless_told_otherwise() {
        let story = Conversation::new("10.0.0.1:1", "10.0.0.2:2").at_ms(5).syn().syn_ack().ack();
        assert_eq!(times_us(story), [5_000, 5_050, 5_100]);
    }

    #[test]
    fn waits_replace_the_step_and_add_up() {
        let story =
            Conversation::new("10.0.0.1:1", "10.0.0.2:2").syn().wait_ms(2).after_us(7).syn_ack().ack();
        assert_eq!(times_us(story), [0, 2_007, 2_057]);
    }

    #[test]
    fn a_lost_packet_takes_its_time() {
        let story = Conversation::new("10.0.0.1:1", "10.0.0.2:2").syn().lost().syn_ack().ack();
        assert_eq!(times_us(story), [0, 100]);
    }

    #[test]
    #[should_panic(expected = "different IP versions")]
    fn both_ends_speak_the_same_ip_version() {
        Conversation::new("10.0.0.1:1", "[fd00::1]:2");
    }
}
