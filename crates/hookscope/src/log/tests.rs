use super::*;
use crate::log::when::absolute;

const URL: &str = "https://svc.ns.svc:443/check?timeout=10s";
const HEAD: &str = "W1122 15:29:24.309467   25545 dispatcher.go:153] ";

fn message(error: &str) -> String {
    format!(
        "Failed calling webhook, failing closed x.io: failed calling webhook \"x.io\": failed to call webhook: Post \"{URL}\": {error}"
    )
}

fn read(lines: &[&[u8]]) -> Result<Log, NotALog> {
    let mut reader = Reader::default();
    reader.file("a.log");
    lines.iter().for_each(|line| reader.line(line, false));
    reader.end()?;
    Ok(reader.finish())
}

fn read_text(lines: &[String]) -> Log {
    read(&lines.iter().map(String::as_bytes).collect::<Vec<_>>()).unwrap()
}

fn only(log: &Log) -> &LoggedCall {
    assert_eq!(log.calls.len(), 1, "{log:?}");
    &log.calls[0]
}

#[test]
fn a_failed_call_is_read_however_it_is_written() {
    let error = "context deadline exceeded";
    let escaped = message(error).replace('"', "\\\"");
    let inner = message(error).split_once("x.io: ").unwrap().1.to_owned();
    let quoted = inner.replace('"', "\\\"");
    let json = format!(
        "{{\"ts\":1795361364309.4,\"caller\":\"validating/dispatcher.go:153\",\"msg\":\"Failed calling webhook, failing closed\",\"webhook\":\"x.io\",\"err\":\"{quoted}\",\"v\":0}}"
    );
    let bare = format!(
        "{{\"ts\":1795361364309.4,\"msg\":\"Failed calling webhook, failing closed\",\"webhook\":\"x.io\",\"err\":\"Post \\\"{URL}\\\": {error}\"}}"
    );
    let structured = format!("\"Failed calling webhook, failing closed\" webhook=\"x.io\" err=\"{quoted}\"");
    for line in [
        format!("{HEAD}{}", message(error)),
        format!("{HEAD}{structured}"),
        format!("2026-11-22T15:29:24.31Z stderr F {HEAD}{}", message(error)),
        format!("2026-11-22T15:29:24.31Z stderr F {json}"),
        format!("Nov 22 15:29:24 node kube-apiserver[1]: {HEAD}{}", message(error)),
        format!(
            "{{\"log\":\"{HEAD}{escaped}\\n\",\"stream\":\"stderr\",\"time\":\"2026-11-22T15:29:24.31Z\"}}"
        ),
        json,
        bare,
        format!("{}\r", message(error)),
    ] {
        let log = read_text(std::slice::from_ref(&line));
        let call = only(&log);
        assert_eq!(call.quote.webhook.as_deref(), Some("x.io"), "{line}");
        assert_eq!(call.quote.url.as_deref(), Some(URL), "{line}");
        assert_eq!(call.quote.error, error, "{line}");
        assert_eq!((call.line, call.fails_open), (1, Some(false)), "{line}");
    }
}

#[test]
fn lines_in_parts_are_put_together_and_bear_the_number_of_the_first() {
    let line = format!("{HEAD}{}", message("EOF"));
    let (front, rest) = line.split_at(100);
    let (middle, back) = rest.split_at(30);
    let at = "2026-11-22T15:29:24.31Z stderr";
    let log = read_text(&[
        format!("{at} F I1122 15:29:24.309467 1 a.go:1] x"),
        format!("{at} P {front}"),
        format!("{at} P {middle}"),
        format!("{at} F {back}"),
        format!("{at} F {line}"),
    ]);
    let lines: Vec<_> = log.calls.iter().map(|call| (call.line, call.quote.error.as_str())).collect();
    assert_eq!(lines, [(2, "EOF"), (5, "EOF")]);
}

#[test]
fn a_failure_that_is_told_again_is_the_same_call() {
    let error = message("EOF");
    let again = |caller: &str| {
        format!(
            "E1122 15:29:24.309900   25545 {caller}] FinishRequest: post-timeout activity, err: Internal error occurred: {}, panic-reason: <nil>",
            error.split_once("x.io: ").unwrap().1
        )
    };
    let log = read_text(&[
        format!("{HEAD}{error}"),
        again("finisher.go:175"),
        format!("{HEAD}{error}"),
        again("finisher.go:175"),
        format!("W1122 15:29:27.000000   25545 finisher.go:175] {error}"),
    ]);
    let repeats: Vec<_> = log.calls.iter().map(|call| call.repeats).collect();
    assert_eq!(repeats, [None, Some(0), None, Some(2), None]);
}

#[test]
fn what_follows_an_entry_on_lines_of_its_own_belongs_to_it() {
    let told =
        format!("failed calling webhook \\\"x.io\\\": failed to call webhook: Post \\\"{URL}\\\": EOF");
    let log = read_text(&[
        format!("{HEAD}{}", message("EOF")),
        "I1122 15:29:24.310000   25545 httplog.go:109] \"HTTP\" verb=\"POST\" resp=500 statusStack=<"
            .to_owned(),
        "\tgoroutine 9031 [running]:".to_owned(),
        format!(
            " > logging error output: \"k8s\\x00\\n\\f\\n\\x02v1\\x12\\x06StatusInternal error occurred: {told}\\x1a\\rInternalError\""
        ),
    ]);
    let calls: Vec<_> = log.calls.iter().map(|call| (call.line, call.repeats)).collect();
    assert_eq!(calls, [(1, None), (4, Some(0))]);
}

proptest::proptest! {
    #[test]
    fn no_line_is_too_strange(lines in proptest::collection::vec(strange(), 1..20)) {
        let mut reader = Reader::default();
        reader.file("a.log");
        for line in &lines {
            reader.line(line, line.len() % 7 == 0);
            let _ = crate::diagnosis::message::explain(&String::from_utf8_lossy(line));
        }
        let _ = reader.end();
        let log = reader.finish();
        proptest::prop_assert!(log.calls() <= lines.len());
    }
}

/// Lines made of what lines of logs are made of, in any order, with any octets between.
fn strange() -> impl proptest::strategy::Strategy<Value = Vec<u8>> {
    use proptest::prelude::{Just, Strategy, any, prop_oneof};
    const PIECES: [&str; 14] = [
        HEAD,
        "2026-11-22T15:29:24.31Z stderr P ",
        "2026-11-22T15:29:24.31Z stderr F ",
        "{\"log\":\"",
        "{\"msg\":\"",
        "failed calling webhook \"",
        "\": ",
        "Post \"",
        "https://a.b.svc:443/?timeout=",
        "10s\": ",
        "err=\"",
        "\\\"",
        "Trace[1]: \"Call validating webhook\" webhook:x, (total time: 9999999999999999999ms)",
        "failing open",
    ];
    let piece = prop_oneof![
        (0..PIECES.len()).prop_map(|place| PIECES[place].as_bytes().to_vec()),
        proptest::collection::vec(any::<u8>(), 0..8),
        Just("ä{}$^…".as_bytes().to_vec()),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

#[test]
fn traces_tell_how_long_the_next_failure_of_the_webhook_took() {
    let trace = |webhook: &str, took: u32| {
        format!(
            "I1122 15:29:24.309398   25545 trace.go:205] Trace[1]: \"Call validating webhook\" configuration:c,webhook:{webhook},resource:/v1 (22-Nov-2026 15:29:14.307) (total time: {took}ms):"
        )
    };
    let log = read_text(&[
        trace("other.io", 7),
        trace("x.io", 10_002),
        format!("{HEAD}{}", message("EOF")),
        format!("{HEAD}{}", message("EOF")),
    ]);
    let took: Vec<_> = log.calls.iter().map(|call| call.took).collect();
    assert_eq!(took, [Some(10_002_000_000), None]);
}

#[test]
fn other_lines_and_denials_are_no_failed_calls() {
    let log = read_text(&[
        "I1122 15:27:31.812053   25545 alloc.go:329] \"allocated clusterIPs\"".to_owned(),
        format!(
            "{HEAD}rejected by webhook \"x.io\": &errors.StatusError{{Message:\"admission webhook \\\"x.io\\\" denied the request: no\"}}"
        ),
        "goroutine 1 [running]:".to_owned(),
        String::new(),
    ]);
    assert_eq!((log.calls(), log.retain()), (0, Retain::Reported));
    assert!(log.notes().is_empty());
}

#[test]
fn what_a_log_takes_depends_on_what_it_says() {
    let of = |error: &str| read_text(&[format!("{HEAD}{}", message(error))]).retain();
    assert_eq!(of("context deadline exceeded"), Retain::Failures);
    assert_eq!(of("the server could not find the requested resource"), Retain::All);
}

#[test]
fn what_is_no_log_is_named_with_how_it_begins() {
    let error = read(&[b"hello", b"world"]).unwrap_err().to_string();
    assert_eq!(
        error,
        "a.log:1: no log of kube-apiserver's: none of its 2 lines is klog's text or JSON; it begins with \"hello\""
    );
    let error = read(&[&[0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0]]).unwrap_err().to_string();
    assert!(error.contains("a.log:1"), "{error}");
    assert_eq!(read(&[]).unwrap().notes(), ["a.log is empty: no line of it can be tied to a call"]);
}

#[test]
fn bad_lines_are_named_and_the_others_are_read() {
    let good = format!("{HEAD}{}", message("EOF")).into_bytes();
    let bad = [&good[..40], &[0xff, 0xfe][..], &good[40..]].concat();
    let mut lines: Vec<&[u8]> = vec![&good, &bad];
    lines.extend([&b"\xff"[..]; 5]);
    let log = read(&lines).unwrap();
    assert_eq!(log.calls(), 2);
    assert_eq!(
        log.notes(),
        ["a.log:2, a.log:3, a.log:4 and 3 more: not UTF-8; what cannot be read is left out"]
    );
    let mut reader = Reader::default();
    reader.file("b.log");
    reader.line(&good, true);
    reader.end().unwrap();
    assert!(reader.finish().notes()[0].starts_with("b.log:1: longer than 1 MiB"));
}

#[test]
fn hostile_lines_take_bounded_memory() {
    let mut reader = Reader::default();
    reader.file("a.log");
    let huge = "x".repeat(MAX_LINE / 4);
    let part = format!("2026-11-22T15:29:24.31Z stderr P {huge}");
    for _ in 0..64 {
        reader.line(part.as_bytes(), false);
        assert!(reader.parts.len() <= MAX_LINE);
    }
    reader.line(format!("2026-11-22T15:29:24.31Z stderr F {huge}").as_bytes(), false);
    let line = format!("{HEAD}{}", message(&"ä".repeat(8_200)));
    for _ in 0..6_000 {
        reader.line(line.as_bytes(), false);
    }
    for depth in [1, 100, 100_000] {
        reader.line(format!("{{\"msg\":{}", "[".repeat(depth)).as_bytes(), false);
        reader.line("\\".repeat(depth).as_bytes(), false);
        reader.line(format!("{HEAD}err=\"{}", "\\\"".repeat(depth)).as_bytes(), false);
    }
    reader.end().unwrap();
    let kept: usize = reader.octets;
    let log = reader.finish();
    assert!(kept <= MAX_OCTETS && log.calls() < 6_000, "{kept}");
    assert!(log.notes().iter().any(|note| note.contains("left out")), "{:?}", log.notes());
}

#[test]
fn json_times_and_prefixes_are_kept_beside_headers() {
    let log = read_text(&[format!("2026-11-22T15:29:25Z stderr F {HEAD}{}", message("EOF"))]);
    let call = only(&log);
    assert_eq!(call.stamp.absolute, absolute("2026-11-22T15:29:25Z").map(|(time, _)| time));
    assert!(call.stamp.header.is_some());
}
