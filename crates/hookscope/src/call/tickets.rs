//! Session tickets told from responses: a TLS 1.3 server may send NewSessionTicket messages after the handshake, while
//! the first request waits, as records that look like a response (RFC 8446, section 4.6.1).
//!
//! They are guessed: OpenSSL and its relatives send two or more of them right after the client's Finished, all of one
//! size and short. A response can begin alike; if the client goes on to another request, it was one after all. Whatever
//! a server sends before the first request is no response either.

use crate::packet::Moment;
use crate::time::Elapsed;

/// The server's first records after the handshake.
#[derive(Debug, Default)]
pub(crate) struct Tickets {
    state: State,
    taken: Option<Box<Taken>>,
}

/// Records that were taken for tickets while a request waited.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    pub(crate) first: Moment,
    pub(crate) last: Moment,
    pub(crate) octets: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Nothing was sent yet.
    #[default]
    Waiting,
    /// One record: a ticket if the next is of its size, else the response.
    One(u16),
    /// Records of this size are tickets; so many have come.
    Tickets(u16, u8),
    /// The response has begun.
    Over,
}

impl Tickets {
    /// Tickets follow the client's Finished at once, not after the webhook's thinking.
    const PROMPT: Elapsed = Elapsed::from_millis(1000);

    /// A ticket is shorter than this, unless it holds a client's certificate.
    const LONGEST: u16 = 1024;
    /// Servers send no more of them at a time: OpenSSL two, rustls once four.
    const MOST: u8 = 4;

    /// The server's record with `length` octets of body began, while a request waits or not; `begun` is when its
    /// response began, as it seems, and that response's octets. Says whether the record is a ticket, and whether the one
    /// before it turns out to be one.
    pub(crate) fn record(
        &mut self,
        length: u16,
        at: Moment,
        request_waits: bool,
        begun: Option<(Moment, u64)>,
        ready: Option<Moment>,
    ) -> (bool, bool) {
        if !request_waits {
            self.state = State::Tickets(length, 1);
            return (true, false);
        }
        let prompt = length <= Self::LONGEST && ready.is_some_and(|ready| at.since(ready) <= Self::PROMPT);
        let (state, answer) = match self.state {
            State::Waiting if prompt => (State::One(length), (false, false)),
            State::One(size) if size == length && prompt => (State::Tickets(size, 2), (true, true)),
            State::Tickets(size, count) if size == length && count < Self::MOST => {
                (State::Tickets(size, count + 1), (true, false))
            }
            _ => (State::Over, (false, false)),
        };
        self.state = state;
        if matches!(state, State::Tickets(..)) {
            let (first, octets) = begun.unwrap_or((at, 0));
            let taken = self.taken.get_or_insert_with(|| Box::new(Taken { first, last: at, octets }));
            taken.last = at;
        }
        answer
    }

    /// Octets of the server's current record.
    pub(crate) fn octets(&mut self, octets: u64) {
        if let (State::Tickets(..), Some(taken)) = (self.state, &mut self.taken) {
            taken.octets = taken.octets.saturating_add(octets);
        }
    }

    /// The records that were taken for tickets while a request waited, if no other has come since.
    pub(crate) fn taken(&self) -> Option<Taken> {
        self.taken.as_deref().copied().filter(|_| matches!(self.state, State::Tickets(..)))
    }
}
