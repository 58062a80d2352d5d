//! What becomes known while packets come -> the schema's types.

use crate::Inspector;
use crate::cluster::Asked;
use crate::config::Config;
use crate::inspect::outcome::{Outcome, View};
use crate::inspect::shard::Shard;
use crate::inspect::tally::ServerTally;
pub use crate::inspect::watch::Counted;
use crate::inspect::watch::{About, Early, Over, Spot};
use crate::report::Trace;
use crate::report::build::{Builder, Files, Found};
use crate::report::schema;
use crate::time::Timestamp;

/// Something that became known while packets came.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A call was judged: each once, healthy ones too.
    Call(Counted),
    /// A connection was judged: each once, healthy ones too.
    Connection(Counted),
    /// Something is wrong with a connection or a call.
    Notice(Box<Notice>),
    /// A DNS lookup failed.
    Lookup(Box<schema::Lookup>),
}

/// What is wrong with a connection or one of its calls, as soon as it is known.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "internals"), non_exhaustive)]
pub struct Notice {
    /// When it was known, by the capture's clock.
    pub at: Timestamp,
    /// The connection as it stands.
    pub connection: schema::Connection,
    /// The call that this is about; none where it is about the connection, as whose verdict it is.
    pub call: Option<u64>,
    /// The code that was given before and is not right any more.
    pub revises: Option<&'static str>,
    /// Whether the connection is over: what is said of it then is the last word.
    pub is_over: bool,
    /// Where its packets are.
    pub trace: Trace,
}

impl Notice {
    /// The verdict that it brings.
    pub fn verdict(&self) -> &schema::Verdict {
        let call = self.connection.calls.iter().find(|call| Some(call.index) == self.call);
        call.map_or(&self.connection.verdict, |call| &call.verdict)
    }
}

impl Inspector {
    /// What became known since this was last asked, in order of time; nothing unless [`Config::watch`] is set.
    ///
    /// A verdict comes as soon as nothing more is expected to change it: shortly after a connection was closed, or after
    /// what it waits for was due. If it changes all the same, another notice says so.
    pub fn take_events(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        let config = &self.config;
        let passing = |counted| passing(config, counted);
        let mut taken = Vec::new();
        for worker in &mut self.workers {
            let Some(watch) = &mut worker.shard.books.tally.watch else { return events };
            events.extend(watch.calls.drain(..).filter_map(passing).map(Event::Call));
            events.extend(watch.connections.drain(..).filter_map(passing).map(Event::Connection));
            taken.push((std::mem::take(&mut watch.early), std::mem::take(&mut watch.over)));
        }
        let untold = std::mem::take(&mut self.lookups.untold);
        if untold.is_empty() && taken.iter().all(|(early, over)| early.is_empty() && over.is_empty()) {
            return events;
        }
        let mut notices = Vec::new();
        {
            let teller = Teller::new(self);
            for (worker, (early, over)) in self.workers.iter().zip(&taken) {
                early.iter().for_each(|early| teller.early(&worker.shard, early, &mut notices));
                over.iter().for_each(|over| teller.over(over, &mut notices));
            }
            notices.sort_by_key(|notice| (notice.at, notice.connection.id));
            events.extend(notices.into_iter().map(|notice| Event::Notice(Box::new(notice))));
            let passing = untold.iter().filter(|judged| judged.passes(&self.config));
            events.extend(passing.map(|judged| Event::Lookup(Box::new(teller.0.lookup(judged)))));
        }
        let Self { config, workers, lookups, .. } = self;
        untold.into_iter().for_each(|judged| lookups.keep(judged, config));
        for (worker, (_, over)) in workers.iter_mut().zip(taken) {
            worker.shard.books.store_told(over, config);
        }
        events
    }
}

/// It, if the filter lets it pass, under its server's name or that of a webhook.
fn passing(config: &Config, mut counted: Counted) -> Option<Counted> {
    let Config { filter, cluster, .. } = config;
    if !filter.admits_server(counted.server.into()) {
        return None;
    }
    let Some(cluster) = cluster else {
        return filter.admits_name(counted.server_name.as_deref()).then_some(counted);
    };
    let server = counted.server;
    let asked = counted.server_name.as_deref().map_or(Asked::Unknown, Asked::Name);
    let is_of_webhook = || {
        let ids = cluster.find(server, asked);
        let mut names = ids.iter().filter_map(|id| Some(cluster.webhook(*id)?.name.as_str()));
        names.any(|name| filter.admits_name(Some(name)))
    };
    let name = counted.server_name.as_deref().or_else(|| cluster.host(server));
    if !filter.admits_name(name) && !is_of_webhook() {
        return None;
    }
    counted.server_name = name.map(Into::into);
    Some(counted)
}

/// Writes notices down.
struct Teller<'a>(Builder<'a>);

impl<'a> Teller<'a> {
    fn new(inspector: &'a Inspector) -> Self {
        let Inspector { config, lookups, losses, traffic, workers } = inspector;
        let left_out = workers.iter().map(|worker| worker.shard.books.left_out).sum();
        let servers =
            workers.iter().flat_map(|worker| -> &[ServerTally] { worker.shard.books.tally.servers() });
        Self(Builder::new(
            Found { config, lookups, outcomes: &[], losses, traffic, left_out },
            servers,
            Files::default(),
        ))
    }

    fn early(&self, shard: &Shard, early: &Early, notices: &mut Vec<Notice>) {
        let tracked = match &early.spot {
            Spot::Tracked(at, id) => shard.tracked(*at, *id),
            Spot::Opening(tracked) => Some(&**tracked),
        };
        let Some(tracked) = tracked else { return };
        let calls = tracked.calls().iter().chain(&early.last).collect();
        let view = View { connection: &tracked.connection, now: early.now, verdict: &early.verdict, calls };
        let trace = Trace::of(&tracked.connection, tracked.translated());
        self.tell(&view, &early.about, &trace, false, notices);
    }

    fn over(&self, over: &Over, notices: &mut Vec<Notice>) {
        let Outcome { connection, translated, .. } = &over.outcome;
        let trace = Trace::of(connection, translated.as_ref());
        self.tell(&over.outcome.view(), &over.about, &trace, true, notices);
    }

    fn tell(
        &self,
        view: &View<'_>,
        about: &[About],
        trace: &Trace,
        is_over: bool,
        notices: &mut Vec<Notice>,
    ) {
        if !self.0.passes(view) {
            return;
        }
        let connection = self.0.connection(view);
        notices.extend(about.iter().map(|about| Notice {
            at: view.now,
            connection: connection.clone(),
            call: about.call.map(u64::from),
            revises: about.revises.map(|code| code.name),
            is_over,
            trace: trace.clone(),
        }));
    }
}
