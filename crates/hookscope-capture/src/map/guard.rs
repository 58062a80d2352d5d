//! Turns SIGBUS, which the system raises where a mapped file has no bytes any more, into zeros and a note of it.
//!
//! A file that is cut while it is read, and a disk that fails, leave pages of the map that cannot be had; whoever
//! touches one is sent SIGBUS, at whichever instruction that happens to be. No check beforehand helps: between it and
//! the touch the file can be cut. So the signal is handled: pages of zeros take the place of the rest of the map, the
//! map is marked, and the instruction is done again. Whoever reads asks for the mark after each batch.
//!
//! A library does not take a process's signals unasked: nothing is handled until [`guard_maps`] is called.

#![allow(
    unsafe_code,
    reason = "signals are handled and pages replaced by the system's own calls; each use says why it is sound"
)]

#[cfg(test)]
mod tests;

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Mutex, PoisonError};

/// How many maps are watched at a time. A file beyond them is read, not mapped.
const SLOTS: usize = 256;

/// The maps that are watched. Static, so that the handler, which may neither allocate nor lock, finds them.
static MAPS: [Slot; SLOTS] = [const { Slot::new() }; SLOTS];

/// What was to be done at SIGBUS before. Known before the handler is installed, so that it never finds nothing here.
static BEFORE: Before = Before {
    handler: AtomicUsize::new(libc::SIG_DFL),
    takes_info: AtomicBool::new(false),
    is_for_once: AtomicBool::new(false),
};

/// Whether the handler was installed: one thread at a time finds out, and the others wait for what comes of it.
static INSTALLED: Mutex<bool> = Mutex::new(false);

/// The size of a page, once the handler is installed.
static PAGE: AtomicUsize = AtomicUsize::new(0);

/// A handler of signals with `SA_SIGINFO`.
type Handler = extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void);

/// What `sigaction` says of a handler, in atomics, for a handler may not lock.
struct Before {
    /// Its address, `SIG_DFL` or `SIG_IGN`.
    handler: AtomicUsize,
    /// `SA_SIGINFO`.
    takes_info: AtomicBool,
    /// `SA_RESETHAND`.
    is_for_once: AtomicBool,
}

impl Before {
    fn set(&self, action: &libc::sigaction) {
        self.handler.store(action.sa_sigaction, SeqCst);
        self.takes_info.store(action.sa_flags & libc::SA_SIGINFO != 0, SeqCst);
        self.is_for_once.store(action.sa_flags & libc::SA_RESETHAND != 0, SeqCst);
    }

    /// Has a signal that is not ours handled as it would have been without us.
    fn handle(
        &self,
        signal: libc::c_int,
        info: *mut libc::siginfo_t,
        context: *mut libc::c_void,
        sent: bool,
    ) {
        let handler = self.handler.load(SeqCst);
        match handler {
            libc::SIG_IGN if sent => {}
            // A touch is done again, and meets the default action, which is the process's end: as it is where touches
            // are to be ignored. What was sent is sent again.
            libc::SIG_DFL | libc::SIG_IGN => {
                let _ = install(libc::SIG_DFL, 0);
                if sent {
                    // SAFETY: raise takes no pointer, and a signal handler may call it.
                    unsafe { libc::raise(signal) };
                }
            }
            _ => {
                if self.is_for_once.load(SeqCst) {
                    self.handler.store(libc::SIG_DFL, SeqCst);
                }
                let handler = std::ptr::with_exposed_provenance::<()>(handler);
                if self.takes_info.load(SeqCst) {
                    // SAFETY: Whoever installed it with SA_SIGINFO promised the system a function of these arguments.
                    let handler: Handler = unsafe { std::mem::transmute(handler) };
                    handler(signal, info, context);
                } else {
                    // SAFETY: Whoever installed it without SA_SIGINFO promised a function of the signal's number.
                    let handler: extern "C" fn(libc::c_int) = unsafe { std::mem::transmute(handler) };
                    handler(signal);
                }
                // Rust's own handler makes way for the default action whenever a signal is not about a stack. After a
                // touch that is what ends the process; after a signal that was sent it would only end the guard.
                if sent && installed().is_ok_and(|now| now.sa_sigaction == libc::SIG_DFL) {
                    let _ = install_ours();
                }
            }
        }
    }
}

/// What is done at SIGBUS now. A signal handler may call it.
fn installed() -> io::Result<libc::sigaction> {
    // SAFETY: All fields of the C struct are integers, sets of bits or nullable pointers, for which zeros are valid.
    let mut now: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: A null pointer asks what is installed; `now` is valid for writing.
    match unsafe { libc::sigaction(libc::SIGBUS, std::ptr::null(), &raw mut now) } {
        0 => Ok(now),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Installs [`on_sigbus`], and gives back what was there. A signal handler may call it.
fn install_ours() -> io::Result<libc::sigaction> {
    let handler: Handler = on_sigbus;
    // On the stack for signals that Rust gives its threads; and a fault may meet several threads at once.
    install(handler as libc::sighandler_t, libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER)
}

/// Installs [`on_sigbus`] or the default action, and gives back what was there. A signal handler may call it.
fn install(handler: libc::sighandler_t, flags: libc::c_int) -> io::Result<libc::sigaction> {
    // SAFETY: As in `installed`.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    let mut before = action;
    action.sa_sigaction = handler;
    action.sa_flags = flags;
    // SAFETY: `action` is a whole sigaction with an empty mask. Its handler is the default one, or `on_sigbus`, which
    // has the signature that SA_SIGINFO asks for, lives as long as the process, and makes only calls that a signal
    // handler may make. `before` is valid for writing.
    match unsafe { libc::sigaction(libc::SIGBUS, &raw const action, &raw mut before) } {
        0 => Ok(before),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Where one map is.
struct Slot {
    taken: AtomicBool,
    /// Odd while the range is being changed: the handler may run on another thread in between.
    version: AtomicUsize,
    start: AtomicUsize,
    end: AtomicUsize,
    lost: AtomicBool,
}

impl Slot {
    const fn new() -> Self {
        Self {
            taken: AtomicBool::new(false),
            version: AtomicUsize::new(0),
            start: AtomicUsize::new(0),
            end: AtomicUsize::new(0),
            lost: AtomicBool::new(false),
        }
    }

    fn set(&self, start: usize, end: usize) {
        self.version.fetch_add(1, SeqCst);
        self.start.store(start, SeqCst);
        self.end.store(end, SeqCst);
        self.version.fetch_add(1, SeqCst);
    }

    /// The range, unless it is being changed: then it is not the one in which somebody is reading.
    fn range(&self) -> Option<(usize, usize)> {
        let version = self.version.load(SeqCst);
        let range = (self.start.load(SeqCst), self.end.load(SeqCst));
        (version.is_multiple_of(2) && self.version.load(SeqCst) == version).then_some(range)
    }
}

/// A map that is watched, until this is dropped: which has to be before it is unmapped.
#[derive(Debug)]
pub(super) struct Watch(Option<&'static Slot>);

impl std::fmt::Debug for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Slot").field("lost", &self.lost).finish_non_exhaustive()
    }
}

impl Watch {
    /// Watches these bytes of a map; without a guard it does nothing. Nothing where too many are watched already.
    pub(super) fn new(bytes: &[u8]) -> Option<Self> {
        let page = PAGE.load(SeqCst);
        if page == 0 {
            return Some(Self(None));
        }
        let slot =
            MAPS.iter().find(|slot| slot.taken.compare_exchange(false, true, SeqCst, SeqCst).is_ok())?;
        let start = bytes.as_ptr().addr();
        slot.lost.store(false, SeqCst);
        slot.set(start, (start + bytes.len()).next_multiple_of(page));
        Some(Self(Some(slot)))
    }

    /// Whether zeros took the place of bytes that could not be had.
    pub(super) fn has_lost(&self) -> bool {
        self.0.is_some_and(|slot| slot.lost.load(SeqCst))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(slot) = self.0 {
            slot.set(0, 0);
            slot.taken.store(false, SeqCst);
        }
    }
}

/// The size of a page in bytes.
pub(super) fn page() -> Option<usize> {
    // SAFETY: sysconf takes no pointer and changes nothing.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(page).ok().filter(|page| page.is_power_of_two())
}

/// Makes this process survive that a capture file which is mapped shrinks while it is read, or cannot be read from its
/// disk: reading it then ends with [`InputError::Lost`](crate::InputError::Lost), where otherwise the process would be
/// killed by SIGBUS.
///
/// It installs a handler for SIGBUS, which is why a program has to ask for it, once, before it reads. Signals that have
/// nothing to do with such a file go to whatever handled them before, and the guard stays. Files that are opened later
/// are guarded; whoever installs a handler of SIGBUS later takes the guard away.
///
/// # Errors
///
/// The system's error, where no handler can be installed; and an error where somebody has installed another one since
/// the guard was installed: it cannot be known whether that passes signals on.
pub fn guard_maps() -> io::Result<()> {
    // Nothing below panics; and what the lock holds is true at any time.
    let mut is_installed = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
    let page = page().ok_or_else(|| io::Error::other("the size of a page is not known"))?;
    let before = installed()?;
    let ours: Handler = on_sigbus;
    if *is_installed {
        match before.sa_sigaction {
            now if now == ours as libc::sighandler_t => return Ok(()),
            // Somebody has removed it: nobody is left who could pass on signals to us, and get them back.
            libc::SIG_DFL | libc::SIG_IGN => *is_installed = false,
            _ => return Err(io::Error::other("another handler of SIGBUS has been installed since")),
        }
    }
    BEFORE.set(&before);
    BEFORE.set(&install_ours()?);
    PAGE.store(page, SeqCst);
    *is_installed = true;
    Ok(())
}

/// Puts zeros in the place of the rest of a map whose bytes are gone; else leaves the signal to whom it belongs.
///
/// Only atomics and system calls that neither allocate nor lock: it may interrupt anything.
extern "C" fn on_sigbus(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: With SA_SIGINFO the kernel gives a valid siginfo_t; for a SIGBUS that a fault raised (si_code > 0) it
    // has the address that was touched.
    let (code, address) = unsafe { ((*info).si_code, (*info).si_addr().addr()) };
    let page = PAGE.load(SeqCst);
    if code > 0 && page > 0 {
        for slot in &MAPS {
            let Some((start, end)) = slot.range() else { continue };
            if !(start..end).contains(&address) {
                continue;
            }
            let from = address - address % page;
            // SAFETY: [from, end) lies in one map that is registered, thus mapped: who touched it has borrowed it, and it
            // is dropped from MAPS before it is unmapped. Only whole pages of that map are replaced, and by readable
            // ones: references into it stay valid, and all their bytes are valid u8s. (That bytes behind a `&[u8]`
            // change is what a map of a file has to live with anyway; see `MappedFile`.) MAP_FIXED is one step, so
            // that no other thread finds a hole.
            let zeros = unsafe {
                libc::mmap(
                    std::ptr::with_exposed_provenance_mut(from),
                    end - from,
                    libc::PROT_READ,
                    libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED | libc::MAP_NORESERVE,
                    -1,
                    0,
                )
            };
            if zeros != libc::MAP_FAILED {
                slot.lost.store(true, SeqCst);
                return;
            }
        }
    }
    BEFORE.handle(signal, info, context, code <= 0);
}
