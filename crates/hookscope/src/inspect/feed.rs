//! A source of batches -> workers, none of which waits for the others at the end of each batch.
//!
//! ```text
//!   source --> | batch 7 | batch 6 | batch 5 | --> those that all workers have seen are used again
//!                   ^                   ^
//!               worker 0            worker 1
//! ```
//!
//! Whichever thread has no batch after the next gets it from the source, so that reading is done beside looking and before
//! anybody waits for it. Threads take whichever worker has something to do, their own first: a pool of any
//! size, busy or not, gets to the end. Each worker sees all batches in their order, so the answer is the same.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::config::Config;
use crate::inspect::Inspector;
use crate::inspect::lookups::Lookups;
use crate::inspect::traffic::Traffic;
use crate::inspect::worker::{Portion, Worker};
use crate::lookup::Heard;
use crate::packet::Batch;

/// Where batches come from, and the counts that are made of all packets as they come.
struct Intake<'a, N> {
    next: N,
    traffic: &'a mut Traffic,
}

/// A batch that not all workers have seen.
struct Open {
    portion: Arc<Portion>,
    /// How many workers have not.
    left: usize,
    /// DNS messages in it, of the workers that have.
    heard: Vec<Heard>,
}

/// A worker, unless a thread has it, and the batch that is its next one.
struct Place<'a> {
    worker: Option<&'a mut Worker>,
    at: u64,
}

struct State<'a, N> {
    /// Nothing while a thread gets a batch from it.
    intake: Option<Intake<'a, N>>,
    ended: bool,
    /// From the `first`-th on.
    open: VecDeque<Open>,
    first: u64,
    places: Vec<Place<'a>>,
    lookups: &'a mut Lookups,
    /// How many packets could not be decoded, by reason.
    undecoded: Traffic,
    /// Batches to use again.
    spare: Vec<Portion>,
    /// A thread panicked: nobody is to wait for what it had.
    abandoned: bool,
}

/// What a thread does next.
enum Job<'a, N> {
    Read(Intake<'a, N>, Portion),
    Look(usize, &'a mut Worker, Arc<Portion>),
    Wait,
    Done,
}

struct Feed<'a, N> {
    state: Mutex<State<'a, N>>,
    changed: Condvar,
    config: &'a Config,
    workers: usize,
}

/// Has all workers look at all that `next` puts into batches, until it leaves one empty.
pub(super) fn run(inspector: &mut Inspector, next: impl FnMut(&mut Batch) + Send) {
    let Inspector { config, workers, traffic, lookups, .. } = inspector;
    let (count, config) = (workers.len(), &*config);
    let state = State {
        intake: Some(Intake { next, traffic }),
        ended: false,
        open: VecDeque::new(),
        first: 0,
        places: workers.iter_mut().map(|worker| Place { worker: Some(worker), at: 0 }).collect(),
        lookups,
        undecoded: Traffic::default(),
        spare: Vec::new(),
        abandoned: false,
    };
    let feed = Feed { state: Mutex::new(state), changed: Condvar::new(), config, workers: count };
    let threads = count.min(rayon::current_num_threads());
    if threads == 1 {
        feed.work(0);
    } else {
        rayon::scope(|scope| {
            let feed = &feed;
            (0..threads).for_each(|thread| scope.spawn(move |_| feed.work(thread)));
        });
    }
    let state = feed.state.into_inner().unwrap_or_else(PoisonError::into_inner);
    let State { intake, undecoded, .. } = state;
    if let Some(Intake { traffic, .. }) = intake {
        undecoded.malformed.into_iter().for_each(|(reason, count)| traffic.malformed(reason, count));
    }
}

impl<'a, N: FnMut(&mut Batch) + Send> Feed<'a, N> {
    /// Does what there is to do until nothing is left, for the `own`-th worker rather than for others.
    fn work(&self, own: usize) {
        // What is called from here may use the pool, too, and this thread then be given another part of this very work
        // while it holds one: that part would wait for what this thread has.
        let Some(_entered) = Entered::new(std::ptr::from_ref(self).addr()) else { return };
        let abandon = Abandon(self);
        let mut malformed = Vec::new();
        let mut state = self.lock();
        loop {
            match state.job(own) {
                Job::Done => break,
                Job::Wait => {
                    state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
                Job::Read(mut intake, mut portion) => {
                    drop(state);
                    self.read(&mut intake, &mut portion);
                    state = self.lock();
                    state.put(intake, portion, self.workers);
                    self.changed.notify_all();
                }
                Job::Look(index, worker, portion) => {
                    drop(state);
                    worker.observe(&portion, self.config, &mut malformed);
                    drop(portion);
                    state = self.lock();
                    state.seen(index, worker, self.config);
                    malformed.drain(..).for_each(|reason| state.undecoded.malformed(reason, 1));
                    self.changed.notify_all();
                }
            }
        }
        drop(state);
        std::mem::forget(abandon);
    }

    /// Gets the next batch, and says of its packets whose they are while their headers are at hand.
    fn read(&self, intake: &mut Intake<'a, N>, portion: &mut Portion) {
        let Intake { next, traffic } = intake;
        portion.batch.truncate(0);
        next(&mut portion.batch);
        portion.share_out(self.workers, traffic);
    }

    fn lock(&self) -> MutexGuard<'_, State<'a, N>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a, N> State<'a, N> {
    /// What a thread does next whose own worker is the `own`-th.
    fn job(&mut self, own: usize) -> Job<'a, N> {
        if self.abandoned {
            return Job::Done;
        }
        let end = self.first + self.open.len() as u64;
        let is_ready = |place: &Place<'_>| place.worker.is_some() && place.at < end;
        let own = self.places.get(own).filter(|place| is_ready(place)).map(|place| (own, end - place.at));
        // A thread alone looks at what it has just read. Of several, each sees to it that nobody waits for what comes next.
        let enough = if self.places.len() == 1 { 1 } else { 2 };
        if own.is_none_or(|(_, ready)| ready < enough)
            && let Some(intake) = self.next_batch()
        {
            return Job::Read(intake, self.spare.pop().unwrap_or_default());
        }
        // Whoever is furthest behind keeps batches from being used again.
        let behind = || {
            let ready = self.places.iter().enumerate().filter(|(_, place)| is_ready(place));
            ready.min_by_key(|(_, place)| place.at).map(|(index, _)| index)
        };
        let chosen = own.map(|(index, _)| index).or_else(behind);
        if let Some(index) = chosen
            && let Some(place) = self.places.get_mut(index)
            && let Some(open) = self.open.get((place.at - self.first) as usize)
            && let Some(worker) = place.worker.take()
        {
            return Job::Look(index, worker, Arc::clone(&open.portion));
        }
        if self.ended && self.open.is_empty() { Job::Done } else { Job::Wait }
    }

    /// The source, where another batch may be had from it.
    fn next_batch(&mut self) -> Option<Intake<'a, N>> {
        if self.ended || self.open.len() >= Inspector::AHEAD { None } else { self.intake.take() }
    }

    /// A batch came from the source; without a packet it is the end.
    fn put(&mut self, intake: Intake<'a, N>, portion: Portion, workers: usize) {
        self.intake = Some(intake);
        if portion.batch.is_empty() {
            self.ended = true;
        } else {
            self.open.push_back(Open { portion: Arc::new(portion), left: workers, heard: Vec::new() });
        }
    }

    /// A worker has seen its next batch.
    fn seen(&mut self, index: usize, worker: &'a mut Worker, config: &Config) {
        let Some(place) = self.places.get_mut(index) else { return };
        if let Some(open) = self.open.get_mut((place.at - self.first) as usize) {
            open.heard.append(&mut worker.heard);
            open.left -= 1;
        }
        place.worker = Some(worker);
        place.at += 1;
        while self.open.front().is_some_and(|open| open.left == 0)
            && let Some(open) = self.open.pop_front()
        {
            self.first += 1;
            if !open.heard.is_empty() {
                self.lookups.observe(open.heard, config);
            }
            self.spare.extend(Arc::into_inner(open.portion));
        }
    }
}

thread_local! {
    /// The feeds that this thread works for, the outermost first.
    static ENTERED: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// A thread works for a feed, until this is dropped.
struct Entered;

impl Entered {
    /// Nothing where it does already.
    fn new(feed: usize) -> Option<Self> {
        ENTERED.with_borrow_mut(|feeds| {
            let is_new = !feeds.contains(&feed);
            is_new.then(|| {
                feeds.push(feed);
                Self
            })
        })
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        ENTERED.with_borrow_mut(|feeds| feeds.pop());
    }
}

/// Lets the others go where a thread panics: what it had does not come back.
struct Abandon<'f, 'a, N: FnMut(&mut Batch) + Send>(&'f Feed<'a, N>);

impl<N: FnMut(&mut Batch) + Send> Drop for Abandon<'_, '_, N> {
    fn drop(&mut self) {
        self.0.lock().abandoned = true;
        self.0.changed.notify_all();
    }
}
