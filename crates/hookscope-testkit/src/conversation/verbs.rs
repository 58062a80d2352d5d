//! What the two ends of a conversation can do.

use super::Conversation;
use super::endpoint::Endpoint;
use super::segment::{Segment, flags, later_options, syn_options};
use crate::Record;
use flags::{ACK, FIN, PSH, RST, SYN};

/// What fits into one IP packet besides the largest headers.
const MAX_SEGMENT: usize = 65_400;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Client,
    Server,
}

impl Conversation {
    /// The client opens the connection.
    pub fn syn(self) -> Self {
        self.say(Side::Client, SYN, &[])
    }

    /// The server accepts.
    pub fn syn_ack(self) -> Self {
        self.say(Side::Server, SYN | ACK, &[])
    }

    /// The client's acknowledgement that completes the handshake.
    pub fn ack(self) -> Self {
        self.client_ack()
    }

    /// SYN, SYN-ACK, ACK.
    pub fn handshake(self) -> Self {
        self.syn().syn_ack().ack()
    }

    /// The client sends data.
    pub fn client(self, data: &[u8]) -> Self {
        self.say(Side::Client, PSH | ACK, data)
    }

    /// The server sends data.
    pub fn server(self, data: &[u8]) -> Self {
        self.say(Side::Server, PSH | ACK, data)
    }

    /// The client acknowledges what it has received.
    pub fn client_ack(self) -> Self {
        self.say(Side::Client, ACK, &[])
    }

    /// The server acknowledges what it has received.
    pub fn server_ack(self) -> Self {
        self.say(Side::Server, ACK, &[])
    }

    /// The client closes its direction.
    pub fn client_fin(self) -> Self {
        self.say(Side::Client, FIN | ACK, &[])
    }

    /// The server closes its direction.
    pub fn server_fin(self) -> Self {
        self.say(Side::Server, FIN | ACK, &[])
    }

    /// The client aborts the connection.
    pub fn client_rst(self) -> Self {
        self.say(Side::Client, RST | ACK, &[])
    }

    /// The server aborts the connection or, if it has not accepted it, refuses it.
    pub fn server_rst(mut self) -> Self {
        if self.client.opened && !self.server.opened {
            // A host without socket for a SYN answers with sequence number zero.
            let refusal =
                Segment { seq: 0, ack: self.server.received, flags: RST | ACK, payload: Vec::new() };
            self.transmit(Side::Server, refusal);
            return self;
        }
        self.say(Side::Server, RST | ACK, &[])
    }

    /// The client sends its last segment once more, with its present acknowledgement.
    pub fn client_retransmit(self) -> Self {
        let last = self.client.sent.last().cloned();
        self.retransmit(Side::Client, last)
    }

    /// The server sends its last segment once more, with its present acknowledgement.
    pub fn server_retransmit(self) -> Self {
        let last = self.server.sent.last().cloned();
        self.retransmit(Side::Server, last)
    }

    /// The client sends its first segment that has not arrived once more.
    pub fn client_retransmit_missing(self) -> Self {
        let missing = self.client.sent.iter().find(|segment| !self.server.has_up_to(segment.end())).cloned();
        self.retransmit(Side::Client, missing)
    }

    /// The server sends its first segment that has not arrived once more.
    pub fn server_retransmit_missing(self) -> Self {
        let missing = self.server.sent.iter().find(|segment| !self.client.has_up_to(segment.end())).cloned();
        self.retransmit(Side::Server, missing)
    }

    /// The client asks whether the server is still there: an empty segment one byte back.
    pub fn client_keep_alive(self) -> Self {
        self.keep_alive(Side::Client)
    }

    /// The server asks whether the client is still there: an empty segment one byte back.
    pub fn server_keep_alive(self) -> Self {
        self.keep_alive(Side::Server)
    }

    /// Any packet from the client; it changes nothing about what either side sends later.
    pub fn client_raw(mut self, seq: u32, ack: u32, flags: u8, payload: &[u8]) -> Self {
        self.emit(Side::Client, &Segment { seq, ack, flags, payload: payload.to_vec() });
        self
    }

    /// Any packet from the server; it changes nothing about what either side sends later.
    pub fn server_raw(mut self, seq: u32, ack: u32, flags: u8, payload: &[u8]) -> Self {
        self.emit(Side::Server, &Segment { seq, ack, flags, payload: payload.to_vec() });
        self
    }

    /// Sends data in segments, all of them subject to the modifiers before the verb.
    fn say(mut self, side: Side, flags: u8, data: &[u8]) -> Self {
        let modifiers = (self.lost, self.undelivered);
        let mut pieces = data.chunks(self.mss.unwrap_or(MAX_SEGMENT)).peekable();
        let mut piece = pieces.next().unwrap_or_default();
        loop {
            let is_last = pieces.peek().is_none();
            let end = self.end_of(side);
            let ack = if flags & ACK != 0 { end.received } else { 0 };
            let flags = if is_last { flags } else { flags & !PSH };
            let segment = Segment { seq: end.next, ack, flags, payload: piece.to_vec() };
            end.next = segment.end();
            end.opened |= flags & SYN != 0;
            if segment.end() != segment.seq {
                end.sent.push(segment.clone());
            }
            (self.lost, self.undelivered) = modifiers;
            self.transmit(side, segment);
            match pieces.next() {
                Some(next) => piece = next,
                None => return self,
            }
        }
    }

    fn retransmit(mut self, side: Side, segment: Option<Segment>) -> Self {
        let mut segment = segment.expect("there is a segment to retransmit");
        if segment.flags & ACK != 0 {
            segment.ack = self.end_of(side).received;
        }
        self.transmit(side, segment);
        self
    }

    fn keep_alive(mut self, side: Side) -> Self {
        let end = self.end_of(side);
        let probe =
            Segment { seq: end.next.wrapping_sub(1), ack: end.received, flags: ACK, payload: Vec::new() };
        self.transmit(side, probe);
        self
    }

    /// Puts a segment on the wire and, unless it goes astray, into the peer's hands.
    fn transmit(&mut self, side: Side, segment: Segment) {
        let delivered = !self.undelivered;
        let time_ns = self.emit(side, &segment);
        let peer = self.peer_of(side);
        if delivered && segment.end() != segment.seq {
            peer.arrive(segment.seq, segment.end());
        }
        if delivered {
            peer.peer_timestamp = timestamp(side, time_ns);
        }
    }

    /// Puts a segment into the capture, unless it is to be missing there.
    fn emit(&mut self, side: Side, segment: &Segment) -> i64 {
        let time_ns = self.tick();
        let is_syn = segment.flags & SYN != 0;
        let usual_mss = if self.client.address.is_ipv4() { 1460 } else { 1440 };
        let mss = self.mss.map_or(usual_mss, |mss| mss as u16);
        let timestamps = self.timestamps;
        let to = self.peer_of(side).address;
        let end = self.end_of(side);
        let stamps = timestamps.then_some((timestamp(side, time_ns), end.peer_timestamp));
        let options =
            if is_syn { syn_options(mss, stamps) } else { later_options(stamps, &end.sack_blocks()) };
        let ident = end.next_ident();
        let frame = segment.frame(end.address, to, ident, &options);
        end.last_frame.clone_from(&frame);
        if !self.lost {
            self.records.push(Record::new(time_ns, frame));
        }
        (self.lost, self.undelivered) = (false, false);
        time_ns
    }

    fn end_of(&mut self, side: Side) -> &mut Endpoint {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }

    fn peer_of(&mut self, side: Side) -> &mut Endpoint {
        match side {
            Side::Client => &mut self.server,
            Side::Server => &mut self.client,
        }
    }
}

/// A host's millisecond clock for the timestamps option; the two hosts were not started at the same time.
fn timestamp(side: Side, time_ns: i64) -> u32 {
    let since_boot = if side == Side::Client { 10_000_000 } else { 77_000_000 };
    ((time_ns / 1_000_000) as u32).wrapping_add(since_boot)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::Ip;
    use crate::wire::{u16_at, u32_at};

    fn story() -> Conversation {
        Conversation::new("10.0.0.10:40000", "10.244.1.1:9443").sequence_numbers(100, 900)
    }

    /// Side, sequence number, acknowledgement, flags and payload length of each packet, as a reader would see them.
    fn packets(conversation: Conversation) -> Vec<(char, u32, u32, u8, usize)> {
        let capture = conversation.capture();
        let read = |record: &Record| {
            let ip = Ip::of(capture.link_type, &record.data).expect("an IP packet");
            let tcp = &record.data[ip.payload..];
            let side = if u16_at(tcp, 2) == 40000 { 's' } else { 'c' };
            let payload = ip.end - ip.tcp_payload(&record.data).expect("a TCP packet");
            (side, u32_at(tcp, 4), u32_at(tcp, 8), tcp[13], payload)
        };
        capture.records.iter().map(read).collect()
    }

    #[test]
    fn a_whole_connection_counts_its_bytes_and_phantoms() {
        let seen = packets(
            story().handshake().client(b"hello").server(b"hi").client_fin().server_fin().client_ack(),
        );
        let expected = [
            ('c', 100, 0, SYN, 0),
            ('s', 900, 101, SYN | ACK, 0),
            ('c', 101, 901, ACK, 0),
            ('c', 101, 901, PSH | ACK, 5),
            ('s', 901, 106, PSH | ACK, 2),
            ('c', 106, 903, FIN | ACK, 0),
            ('s', 903, 107, FIN | ACK, 0),
            ('c', 107, 904, ACK, 0),
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn sequence_numbers_wrap() {
        let seen = packets(story().sequence_numbers(u32::MAX, 900).handshake().client(b"hello").server_ack());
        assert_eq!(seen[3..], [('c', 0, 901, PSH | ACK, 5), ('s', 901, 5, ACK, 0)]);
    }

    #[test]
    fn a_lost_segment_is_acknowledged_though_not_captured() {
        let seen = packets(story().handshake().lost().client(b"hello").client(b"!").server_ack());
        assert_eq!(seen[3..], [('c', 106, 901, PSH | ACK, 1), ('s', 901, 107, ACK, 0)]);
    }

    #[test]
    fn an_unacknowledged_segment_is_acknowledged_with_what_follows_once_retransmitted() {
        let story = story().handshake().unacknowledged().client(b"hello").server_ack();
        let seen = packets(story.client_retransmit().server_ack());
        assert_eq!(
            seen[4..],
            [('s', 901, 101, ACK, 0), ('c', 101, 901, PSH | ACK, 5), ('s', 901, 106, ACK, 0)]
        );
    }

    #[test]
    fn filling_a_hole_acknowledges_what_lay_behind_it() {
        let story = story().handshake().unacknowledged().client(b"hello").client(b"!").server_ack();
        let seen = packets(story.client_retransmit_missing().server_ack());
        assert_eq!(seen[6..], [('c', 101, 901, PSH | ACK, 5), ('s', 901, 107, ACK, 0)]);
    }

    #[test]
    fn data_behind_a_hole_is_reported_as_sack() {
        let story = story().handshake().unacknowledged().client(b"hello").client(b"!").server_ack();
        let frame = story.capture().records.pop().expect("packets").data;
        assert_eq!(frame[frame.len() - 12..], [1, 1, 5, 10, 0, 0, 0, 106, 0, 0, 0, 107]);
    }

    #[test]
    fn data_is_cut_at_the_mss_and_pushed_at_its_end() {
        let seen = packets(story().mss(4).handshake().client(b"hellohello"));
        let expected = [('c', 101, 901, ACK, 4), ('c', 105, 901, ACK, 4), ('c', 109, 901, PSH | ACK, 2)];
        assert_eq!(seen[3..], expected);
    }

    #[test]
    fn modifiers_hold_for_all_segments_of_one_verb_and_no_longer() {
        let seen = packets(story().mss(4).handshake().lost().client(b"hellohello").client(b"x"));
        assert_eq!(seen[3..], [('c', 111, 901, PSH | ACK, 1)]);
    }

    #[test]
    fn a_server_refuses_a_syn_with_sequence_number_zero_but_aborts_with_its_own() {
        assert_eq!(packets(story().syn().server_rst())[1], ('s', 0, 101, RST | ACK, 0));
        assert_eq!(packets(story().handshake().server_rst())[3], ('s', 901, 101, RST | ACK, 0));
    }

    #[test]
    fn a_keep_alive_probe_is_one_byte_back_and_moves_nothing() {
        let seen = packets(story().handshake().client_keep_alive().server_ack().client(b"x"));
        let expected = [('c', 100, 901, ACK, 0), ('s', 901, 101, ACK, 0), ('c', 101, 901, PSH | ACK, 1)];
        assert_eq!(seen[3..], expected);
    }

    #[test]
    fn raw_packets_leave_the_story_alone() {
        let seen = packets(story().handshake().server_raw(5, 6, RST, b"?").client(b"x"));
        assert_eq!(seen[3..], [('s', 5, 6, RST, 1), ('c', 101, 901, PSH | ACK, 1)]);
    }

    #[test]
    fn a_story_may_start_in_the_middle() {
        assert_eq!(packets(story().server(b"hi").client(b"yo"))[1], ('c', 100, 902, PSH | ACK, 2));
    }

    #[test]
    fn identifications_count_up_by_sender() {
        let capture = story().handshake().client(b"a").capture();
        let ident = |index: usize| u16_at(&capture.records[index].data, 18);
        assert_eq!(ident(2), ident(0).wrapping_add(1));
        assert_eq!(ident(3), ident(2).wrapping_add(1));
        assert_ne!(ident(0), ident(1));
    }

    #[test]
    fn every_checksum_is_right_with_both_ip_versions_and_all_options() {
        let v6 = Conversation::new("[fd00::10]:40000", "[fd00:1::2]:443");
        for story in [story().timestamps(), v6.timestamps()] {
            let story = story.handshake().unacknowledged().client(b"abc").client(b"de").server(b"odd");
            let capture = story.capture();
            for record in &capture.records {
                let ip = Ip::of(capture.link_type, &record.data).expect("an IP packet");
                let mut sealed = record.data.clone();
                ip.seal_header(&mut sealed);
                ip.seal_transport(&mut sealed);
                assert_eq!(sealed, record.data);
            }
        }
    }
}
