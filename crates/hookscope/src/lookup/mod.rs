//! DNS messages in the order of the capture -> lookups: what was asked, how often, and what came back.
//!
//! ```text
//!  UDP port 53 ------------> Heard --+
//!                                    +--> Tracker --> Lookup (judged elsewhere)
//!  TCP port 53 --> Framer -> Heard --+       |
//!                                            +------> Learned: names of addresses
//! ```
//!
//! A lookup is one question of one client, with all its repetitions: what a resolver library does for one name and
//! one type. Only addresses (A and AAAA) are followed: no other lookup decides whether a connection can be opened.
//! RFC 1035 for messages, section 4.2 for how they travel; what packets of a resolver library mean is written at
//! [`tracker`], its search list at [`search`]. Nothing here judges.

pub(crate) mod framer;
pub(crate) mod learned;
mod search;
pub(crate) mod tracker;

#[cfg(test)]
mod tests;

use std::net::IpAddr;

use crate::flow::key::{Address, Endpoint};
use crate::packet::Moment;
use crate::time::{Elapsed, Timestamp};
use crate::wire::dns::{Message, Question, ResponseCode, Role};
use crate::wire::{Datagram, Vantage};

/// How a message travelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Transport {
    /// In one datagram (RFC 1035, section 4.2.1).
    Udp,
    /// In a stream (RFC 1035, section 4.2.2).
    Tcp,
}

/// A message and everything around it.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    /// What it says.
    pub(crate) message: Message,
    /// Who asks.
    pub(crate) client: Endpoint,
    /// Who is asked.
    pub(crate) server: Endpoint,
    pub(crate) transport: Transport,
    pub(crate) vantage: Vantage,
    /// The packet that completed it.
    pub(crate) at: Moment,
    /// Its position in the capture, from 0.
    pub(crate) position: u64,
    /// The capture's clock there.
    pub(crate) clock: Timestamp,
}

impl Heard {
    /// The port of name servers.
    pub(crate) const PORT: u16 = 53;

    /// What a datagram says, if it is a query to a name server or a response of one.
    pub(crate) fn datagram(datagram: &Datagram<'_>, position: u64, clock: Timestamp) -> Option<Self> {
        let message = Message::parse(datagram.payload)?;
        let (client, server) = match message.role {
            Role::Query => (datagram.source, datagram.destination),
            Role::Response => (datagram.destination, datagram.source),
        };
        (server.port == Self::PORT).then_some(Self {
            message,
            client,
            server,
            transport: Transport::Udp,
            vantage: datagram.vantage,
            at: Moment { time: datagram.time, frame: datagram.frame },
            position,
            clock,
        })
    }
}

/// Where an answer must come to: the client's socket and the id of its query (RFC 1035, section 4.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Socket {
    transport: Transport,
    client: Endpoint,
    id: u16,
}

impl Socket {
    fn of(heard: &Heard) -> Self {
        Self { transport: heard.transport, client: heard.client, id: heard.message.id }
    }
}

/// One question of one client, with all its repetitions.
#[derive(Debug)]
pub(crate) struct Lookup {
    /// Position of its first query in the capture, from 0.
    pub(crate) id: u64,
    /// Who asks.
    pub(crate) client: Address,
    /// For what.
    pub(crate) question: Question,
    /// Queries sent.
    pub(crate) count: u64,
    /// The first query and the latest ones.
    pub(crate) attempts: Vec<Attempt>,
    /// The addresses of the answer that counts.
    pub(crate) addresses: Vec<IpAddr>,
    /// Why an error in answer is no failure.
    pub(crate) excuse: Option<Excuse>,
}

/// One query.
#[derive(Debug)]
pub(crate) struct Attempt {
    socket: Socket,
    vantage: Vantage,
    /// Who is asked.
    pub(crate) server: Endpoint,
    /// The query.
    pub(crate) asked: Moment,
    /// The answer, if it came in time.
    pub(crate) answer: Option<Answer>,
}

impl Attempt {
    /// Who asks, and from which port.
    pub(crate) const fn client(&self) -> Endpoint {
        self.socket.client
    }

    /// How it travelled.
    pub(crate) const fn transport(&self) -> Transport {
        self.socket.transport
    }
}

/// A response.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer {
    /// The packet that completed it.
    pub(crate) at: Moment,
    /// How the query was answered.
    pub(crate) code: ResponseCode,
    /// TC: the whole is to be had over TCP.
    pub(crate) truncated: bool,
    position: u64,
}

impl Answer {
    /// Whether a resolver asks no further: the name is known, or known not to exist.
    const fn is_final(self) -> bool {
        !self.truncated && matches!(self.code, ResponseCode::NO_ERROR | ResponseCode::NAME_ERROR)
    }
}

/// Why an error in answer is no failure: it is a part of resolving another name, or the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Excuse {
    /// Another candidate of the search list, or another type of the same name, has addresses.
    Resolved(Box<str>),
    /// It was a candidate for this name, which failed itself and is reported.
    CandidateFor(Box<str>),
}

/// What became of a lookup.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fate<'a> {
    /// The name exists.
    Answered(&'a Attempt, Answer),
    /// An error came back.
    Failed(&'a Attempt, Answer),
    /// Nothing came back, in longer than a resolver waits.
    Silent(&'a Attempt),
    /// Nothing came back yet.
    Waiting,
}

impl Lookup {
    /// How long a resolver waits for an answer: Go and glibc 5 s by default. A later one finds nobody.
    pub(crate) const PATIENCE: Elapsed = Elapsed::from_millis(5_000);
    /// Whoever asks for the same again so soon is another program, unless an error made it do so.
    const REPETITION: Elapsed = Elapsed::from_millis(500);

    /// The first query.
    pub(crate) fn first(&self) -> Option<&Attempt> {
        self.attempts.first()
    }

    /// What became of it, at `now`.
    pub(crate) fn fate(&self, now: Timestamp) -> Fate<'_> {
        if let Some((attempt, answer)) = self.decisive() {
            return match answer.code {
                ResponseCode::NO_ERROR => Fate::Answered(attempt, answer),
                _ => Fate::Failed(attempt, answer),
            };
        }
        match self.attempts.last() {
            Some(last) if self.was_repeated() || now.since(last.asked.time) >= Self::PATIENCE => {
                Fate::Silent(last)
            }
            _ => Fate::Waiting,
        }
    }

    /// The answer that counts: the first final one, else that of the last query.
    fn decisive(&self) -> Option<(&Attempt, Answer)> {
        let settles = |attempt: &&Attempt| attempt.answer.is_some_and(Answer::is_final);
        let decisive = self.attempts.iter().find(settles).or_else(|| self.attempts.last())?;
        Some((decisive, decisive.answer?))
    }

    fn is_settled(&self) -> bool {
        self.attempts.iter().any(|attempt| attempt.answer.is_some_and(Answer::is_final))
    }

    /// Whether a query was repeated because nothing came back.
    fn was_repeated(&self) -> bool {
        let Some((last, earlier)) = self.attempts.split_last() else { return false };
        earlier
            .iter()
            .any(|attempt| attempt.answer.is_none() && last.asked.since(attempt.asked) >= Self::REPETITION)
    }
}
