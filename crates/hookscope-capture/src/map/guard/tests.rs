//! Signals that are not the guard's, and threads that ask for it at once.

use std::fs::{File, OpenOptions};
use std::sync::atomic::AtomicU32;
use std::sync::{Barrier, MutexGuard};

use super::super::MappedFile;
use super::*;

/// One test at a time: what was to be done before is one for all of a process.
static TURN: Mutex<()> = Mutex::new(());
/// What handlers were called with.
static CALLED: AtomicU32 = AtomicU32::new(0);

extern "C" fn with_info(signal: libc::c_int, info: *mut libc::siginfo_t, _context: *mut libc::c_void) {
    // SAFETY: It is called with the siginfo_t that the kernel gave.
    let same = unsafe { (*info).si_signo } == signal;
    CALLED.fetch_add(if same { 100 } else { 10_000 }, SeqCst);
}

extern "C" fn without_info(signal: libc::c_int) {
    CALLED.fetch_add(if signal == libc::SIGBUS { 1 } else { 10_000 }, SeqCst);
}

/// The guard, alone.
fn guarded() -> MutexGuard<'static, ()> {
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    guard_maps().unwrap();
    turn
}

fn action(handler: usize, flags: libc::c_int) -> libc::sigaction {
    let mut action = installed().unwrap();
    (action.sa_sigaction, action.sa_flags) = (handler, flags);
    action
}

fn is_ours() -> bool {
    let ours: Handler = on_sigbus;
    installed().unwrap().sa_sigaction == ours as libc::sighandler_t
}

/// Returns once it has been handled.
fn send() {
    // SAFETY: raise takes no pointer; what handles it is what the test is about.
    assert_eq!(unsafe { libc::raise(libc::SIGBUS) }, 0);
}

/// A map whose file has been cut to nothing.
fn cut(name: &str) -> MappedFile {
    let path = std::env::temp_dir().join(format!("hookscope-guard-{name}-{}", std::process::id()));
    std::fs::write(&path, [7; 100]).unwrap();
    let mapped = MappedFile::new(File::open(&path).unwrap()).unwrap();
    OpenOptions::new().write(true).open(&path).unwrap().set_len(0).unwrap();
    std::fs::remove_file(path).unwrap();
    mapped
}

/// How a child ends that does this, which may neither allocate nor lock: its status, or the signal that ended it.
fn ends(does: impl Fn()) -> Result<i32, i32> {
    let mut status = 0;
    // SAFETY: The child of a process with threads makes only calls that a signal handler may make, and ends without
    // running anything of the parent's. `status` is valid for writing.
    unsafe {
        let child = libc::fork();
        if child == 0 {
            does();
            libc::_exit(7);
        }
        assert_eq!(libc::waitpid(child, &raw mut status, 0), child);
    }
    if libc::WIFSIGNALED(status) { Err(libc::WTERMSIG(status)) } else { Ok(libc::WEXITSTATUS(status)) }
}

#[test]
fn whoever_is_told_that_maps_are_guarded_has_a_guard() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let barrier = Barrier::new(8);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                barrier.wait();
                guard_maps().unwrap();
                assert!(is_ours() && PAGE.load(SeqCst) > 0);
            });
        }
    });
}

#[test]
fn a_guard_that_was_removed_is_installed_again_and_one_that_was_replaced_is_an_error() {
    let _turn = guarded();
    install(libc::SIG_DFL, 0).unwrap();
    guard_maps().unwrap();
    assert!(is_ours());
    let other: extern "C" fn(libc::c_int) = without_info;
    install(other as libc::sighandler_t, 0).unwrap();
    assert!(guard_maps().unwrap_err().to_string().contains("another handler"));
    install_ours().unwrap();
    guard_maps().unwrap();
}

#[test]
fn the_guard_stays_when_somebody_sends_the_signal() {
    let _turn = guarded();
    let (info, none): (Handler, extern "C" fn(libc::c_int)) = (with_info, without_info);
    for (handler, flags, calls) in
        [(info as usize, libc::SA_SIGINFO, 200), (none as usize, 0, 2), (libc::SIG_IGN, 0, 0)]
    {
        BEFORE.set(&action(handler, flags));
        CALLED.store(0, SeqCst);
        send();
        send();
        assert_eq!((CALLED.load(SeqCst), is_ours()), (calls, true));
        let mapped = cut("sent");
        assert_eq!((mapped.bytes()[0], mapped.lost(0, 100).is_some()), (0, true));
    }
}

/// As Rust's own does.
extern "C" fn makes_way(_signal: libc::c_int) {
    let _ = install(libc::SIG_DFL, 0);
}

#[test]
fn a_handler_that_makes_way_for_the_default_action_ends_the_guard_with_the_process_only() {
    let _turn = guarded();
    let handler: extern "C" fn(libc::c_int) = makes_way;
    BEFORE.set(&action(handler as usize, 0));
    send();
    assert!(is_ours());
    let mapped = cut("unwatched");
    mapped.watch.0.unwrap().set(0, 0);
    assert_eq!(ends(|| assert_ne!(std::hint::black_box(mapped.bytes())[0], 7)), Err(libc::SIGBUS));
}

#[test]
fn the_default_action_is_the_process_s_end() {
    let _turn = guarded();
    let mapped = cut("default");
    mapped.watch.0.unwrap().set(0, 0);
    let touch = || {
        std::hint::black_box(std::hint::black_box(mapped.bytes())[0]);
    };
    for (handler, sent, touched) in
        [(libc::SIG_DFL, Err(libc::SIGBUS), Err(libc::SIGBUS)), (libc::SIG_IGN, Ok(7), Err(libc::SIGBUS))]
    {
        BEFORE.set(&action(handler, 0));
        assert_eq!((ends(send), ends(touch)), (sent, touched));
    }
    let none: extern "C" fn(libc::c_int) = without_info;
    let once = action(none as usize, libc::SA_RESETHAND);
    BEFORE.set(&once);
    assert_eq!(ends(send), Ok(7));
    let twice = || {
        send();
        send();
    };
    assert_eq!(ends(twice), Err(libc::SIGBUS));
}
