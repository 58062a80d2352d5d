//! What a program that embeds the library relies on: one call for files, and errors that say whose fault it is.

mod common;

use std::path::Path;

use common::Dir;
use hookscope::{Config, Keep};
use hookscope_capture::{Analysis, Fault, InputError, Summary, analyze};

fn fixture(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name)
}

#[test]
fn a_file_is_judged_in_one_call_which_tells_how_far_it_is() {
    let path = fixture("deadline-exceeded/deadline-10s.pcap");
    let mut last = None;
    let config = Config { keep: Keep::All, ..Config::default() };
    let analysis = analyze(std::slice::from_ref(&path), config, |progress| last = Some(progress)).unwrap();
    let size = path.metadata().unwrap().len();
    assert_eq!(last.map(|last| (last.consumed, last.total)), Some((size, Some(size))));
    let report = analysis.report();
    assert_eq!((report.capture.packets, analysis.summary.packets()), (17, 17));
    assert!(report.connections.iter().any(|connection| connection.verdict.code == "deadline-exceeded"));
    assert_eq!(report.capture.files, [path.display().to_string()]);
}

#[test]
fn a_file_that_breaks_off_is_no_error() {
    let whole = std::fs::read(fixture("ok/ok-tls13.pcap")).unwrap();
    let folder = Dir::new();
    let path = folder.write("cut.pcap", &whole[..whole.len() - 3]);
    let analysis = analyze(&[path], Config::default(), |_| {}).unwrap();
    assert!(analysis.input().truncated && analysis.report().capture.truncated);
    assert_eq!(analysis.input().warnings.len(), 1);
}

#[test]
fn an_error_says_whose_fault_it_is() {
    let fault = |path: &Path| {
        let error: InputError = analyze(&[path], Config::default(), |_| {}).unwrap_err();
        error.fault()
    };
    assert_eq!(fault(Path::new("/nonexistent.pcap")), Fault::Caller);
    assert_eq!(fault(&fixture("")), Fault::Caller);
    assert_eq!(fault(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))), Fault::Input);
}

#[test]
fn all_may_go_to_another_thread() {
    const fn may_be_shared<T: Send + Sync + std::fmt::Debug + 'static>() {}
    may_be_shared::<Analysis>();
    may_be_shared::<Summary>();
    may_be_shared::<InputError>();
    may_be_shared::<hookscope_capture::Batch>();
    may_be_shared::<hookscope_capture::LinesError>();
}

#[cfg(feature = "live")]
#[test]
fn a_capture_may_go_to_another_thread_once_it_is_open() {
    const fn may_be_sent<T: Send + std::fmt::Debug + 'static>() {}
    may_be_sent::<hookscope_capture::live::Live>();
    may_be_sent::<hookscope_capture::live::Watch>();
    may_be_sent::<hookscope_capture::live::LiveError>();
}
