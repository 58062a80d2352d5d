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

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

/// How many maps are watched at a time. A file beyond them is read, not mapped.
const SLOTS: usize = 256;

/// The maps that are watched. Static, so that the handler, which may neither allocate nor lock, finds them.
static MAPS: [Slot; SLOTS] = [const { Slot::new() }; SLOTS];

/// What was to be done at SIGBUS before, once the handler is installed.
static BEFORE: OnceLock<libc::sigaction> = OnceLock::new();

/// The size of a page, once the handler is installed.
static PAGE: AtomicUsize = AtomicUsize::new(0);

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
/// nothing to do with such a file go to whatever handled them before. Files that are opened later are guarded; whoever
/// installs a handler of SIGBUS later takes the guard away.
///
/// # Errors
///
/// The system's error, where no handler can be installed.
pub fn guard_maps() -> io::Result<()> {
    if PAGE.load(SeqCst) > 0 {
        return Ok(());
    }
    let page = page().ok_or_else(|| io::Error::other("the size of a page is not known"))?;
    // SAFETY: All fields of the C struct are integers, sets of bits or nullable pointers, for which zeros are valid.
    let mut before: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: A null pointer asks what is installed; `before` is valid for writing.
    if unsafe { libc::sigaction(libc::SIGBUS, std::ptr::null(), &raw mut before) } != 0 {
        return Err(io::Error::last_os_error());
    }
    if BEFORE.set(before).is_err() {
        return Ok(()); // another thread was first
    }
    // SAFETY: As above.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    let handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) = on_sigbus;
    action.sa_sigaction = handler as libc::sighandler_t;
    // On the stack for signals that Rust gives its threads; and a fault may meet several threads at once.
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
    // SAFETY: `action` is a whole sigaction with an empty mask, whose handler has the signature that SA_SIGINFO asks
    // for, lives as long as the process, and makes only calls that a signal handler may make.
    if unsafe { libc::sigaction(libc::SIGBUS, &raw const action, std::ptr::null_mut()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    PAGE.store(page, SeqCst);
    Ok(())
}

/// Puts zeros in the place of the rest of a map whose bytes are gone; else leaves the signal to whom it belongs.
///
/// Only atomics and system calls that neither allocate nor lock: it may interrupt anything.
extern "C" fn on_sigbus(_signal: libc::c_int, info: *mut libc::siginfo_t, _context: *mut libc::c_void) {
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
    if let Some(before) = BEFORE.get() {
        // SAFETY: `before` is what sigaction gave for SIGBUS. With it back in place, the touch is done again and meets
        // whatever handled it before; a signal that no touch raised is sent once more.
        unsafe {
            libc::sigaction(libc::SIGBUS, before, std::ptr::null_mut());
            if code <= 0 {
                libc::raise(libc::SIGBUS);
            }
        }
    }
}
