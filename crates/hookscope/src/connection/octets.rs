//! Octets of a segment -> the stream of its side -> the application, in order.

use super::application::Closing;
use super::{Around, Connection};
use crate::call::Context;
use crate::packet::Moment;
use crate::side::Side;
use crate::tcp::reassembly::Chunk;
use crate::wire::{Flags, Segment};

impl Connection {
    #[inline]
    pub(super) fn sent(&mut self, side: Side, segment: &Segment<'_>, at: Moment, around: &mut Around<'_>) {
        if segment.payload_len == 0 && !segment.flags.has(Flags::ENDING) {
            // A SYN has said all. An acknowledgment alone may be a challenge (RFC 5961, section 4), in no sequence space
            // of this stream.
            return;
        }
        let is_acknowledged = self.halves.client.is_acknowledged();
        if !self.halves[side].goes_on(segment, at) {
            return self.sent_apart(side, segment, at, around);
        }
        let context = Context { is_acknowledged, ..self.context() };
        around.shared.crowded += u64::from(around.shared.room() < segment.payload.len());
        let rest = self.application.data(side, segment.payload, at, &context, &mut around.shared.ended);
        if !rest.is_empty() {
            let held = self.application.held();
            self.application.chunk(side, Chunk::Data(rest), at, &context, around);
            around.shared.holds(held, self.application.held());
        }
    }

    /// The segment does not just go on where the last one ended.
    #[inline(never)]
    fn sent_apart(&mut self, side: Side, segment: &Segment<'_>, at: Moment, around: &mut Around<'_>) {
        let context = self.context();
        let peer_window_is_zero = self.halves[!side].has_zero_window();
        let held = self.held();
        let half = &mut self.halves[side];
        if segment.payload_len > 0 && !half.is_anchored() {
            self.application.join_midstream(side);
        }
        let application = &mut self.application;
        let room = around.shared.room();
        let budget = around.limits.reassembly.min(half.waiting().saturating_add(room));
        half.sent(segment, at, peer_window_is_zero, budget, &mut |chunk, at| {
            application.chunk(side, chunk, at, &context, around);
        });
        around.shared.crowded += u64::from(room < segment.payload.len());
        self.close_if_due(side, Some(at), around);
        around.shared.holds(held, self.held());
    }

    /// Octets that wait for others.
    #[inline]
    pub(super) fn held(&self) -> usize {
        self.halves.client.waiting() + self.halves.server.waiting() + self.application.held()
    }

    /// Tells the application that `side` closed, once everything before it is delivered.
    #[inline]
    fn close_if_due(&mut self, side: Side, now: Option<Moment>, around: &mut Around<'_>) {
        let half = &mut self.halves[side];
        if let Some(at) = half.take_close(now) {
            let how = if half.fin_at() == Some(at) { Closing::Fin } else { Closing::Rst };
            self.application.close(side, at, how, around);
        }
    }

    fn context(&self) -> Context {
        Context {
            opened: self.opened,
            ready: self.application.complete().or(self.established),
            may_send_tickets: self.application.may_send_tickets(),
            is_acknowledged: self.halves.client.is_acknowledged(),
        }
    }

    /// Gives up octets that the receiver has and the capture lacks, after a little patience.
    #[cold]
    pub(super) fn age_holes(&mut self, around: &mut Around<'_>) {
        for side in [Side::Client, Side::Server] {
            if !self.halves[side].lost_to_capture() {
                self.hole_age[side] = 0;
            } else if self.hole_age[side] < Self::REORDERING {
                self.hole_age[side] += 1;
            } else {
                self.hole_age[side] = 0;
                self.skip_hole(side, around);
            }
        }
    }

    pub(super) fn skip_hole(&mut self, side: Side, around: &mut Around<'_>) {
        let (context, held) = (self.context(), self.held());
        let application = &mut self.application;
        let half = &mut self.halves[side];
        half.skip_hole(&mut |chunk, at| application.chunk(side, chunk, at, &context, around));
        self.close_if_due(side, None, around);
        around.shared.holds(held, self.held());
    }
}
