//! What the library promises of its types, whatever is in them: they may go to another thread, and be looked at.

use std::fmt::Debug;

use hookscope::cluster::Cluster;
use hookscope::diagnosis::message::Explanation;
use hookscope::log::{Log, Reader};
use hookscope::report::schema::{Group, Report};
use hookscope::report::{Event, Input, Trace};
use hookscope::rule::{Case, Finding, RuleError, Rules};
use hookscope::{Config, Inspection, Inspector, Packet};

const fn may_be_shared<T: Send + Sync + Debug + 'static>() {}
const fn may_be_lent<T: Send + Sync + Debug>() {}

/// It compiles.
#[test]
fn all_may_go_to_another_thread_and_be_shared_there() {
    may_be_shared::<Inspector>();
    may_be_shared::<Inspection>();
    may_be_shared::<Config>();
    may_be_shared::<Rules>();
    may_be_shared::<RuleError>();
    may_be_shared::<Finding>();
    may_be_shared::<Cluster>();
    may_be_shared::<Log>();
    may_be_shared::<Reader>();
    may_be_shared::<Report>();
    may_be_shared::<Group>();
    may_be_shared::<Event>();
    may_be_shared::<Trace>();
    may_be_shared::<Input>();
    may_be_shared::<Explanation>();
    may_be_lent::<Case<'_>>();
    may_be_lent::<Packet<'_>>();
}

/// What an inspector holds goes with it: none knows of another.
#[test]
#[allow(clippy::disallowed_methods, reason = "the library starts no threads; those who embed it do")]
fn inspectors_in_several_threads_do_not_meet() {
    let counts = [1_u64, 2, 3].map(|count| {
        std::thread::spawn(move || {
            let mut inspector = Inspector::new(Config::default());
            let packet = Packet::new(1, Default::default(), hookscope::packet::LinkType::RAW, &[]);
            inspector.extend(std::iter::repeat_n(packet, count as usize));
            (inspector.finish().report(&Input::default()).capture.packets, count)
        })
    });
    for (seen, sent) in counts.map(|thread| thread.join().unwrap()) {
        assert_eq!(seen, sent);
    }
}
