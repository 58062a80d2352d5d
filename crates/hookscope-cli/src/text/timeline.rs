//! Turns the story of a connection into lines: when, which frame, from whom to whom, what.

use std::fmt;

use hookscope::report::schema::{Event, Evidence};

use super::head::file_name;
use super::layout::{Page, Text};
use super::numbers::{counted, duration, moment};
use super::prose;
use super::style::{FAILURE, FAINT, PLAIN};

/// Steps shown where not everything is asked for.
const STEPS: usize = 12;
/// From how long on a pause is worth a line of its own, if it is most of the story.
const PAUSE: f64 = 1.0;
/// What stands over the columns: time since the first packet, and the packet's number as Wireshark shows it.
const TIME: &str = "time";
const FRAME: &str = "frame";

/// Writes the steps; the decisive one bears a mark. Without `whole`, steps in the middle of a long story are left out.
pub(super) fn write(
    page: &mut Page<'_>,
    indent: usize,
    events: &[Event],
    evidence: &[Evidence],
    whole: bool,
) -> fmt::Result {
    let shown = if whole { vec![true; events.len()] } else { selection(events) };
    let (events, file) = without_common_file(with_meaning(events, evidence));
    let events = events.as_slice();
    let widths = Widths::of(events);
    titles(page, indent, &widths, file.as_deref())?;
    let span = events.iter().map(|event| event.after_s).fold(0.0, f64::max);
    let mut skipped = 0;
    let mut before: Option<&Event> = None;
    for (event, shown) in events.iter().zip(shown) {
        if !shown {
            skipped += 1;
            continue;
        }
        if skipped > 0 {
            aside(page, indent, &widths, &format!("{skipped} more steps (-v shows them)"))?;
        }
        let pause = before.map_or(0.0, |before| event.after_s - before.after_s);
        if let Some((number, what)) = before.and_then(|before| repeated(before, event)) {
            let more = counted(number, &format!("more {what}"));
            aside(page, indent, &widths, &format!("{more} in {}", duration(pause)))?;
        } else if skipped == 0 && pause >= PAUSE && pause > span / 2.0 {
            aside(page, indent, &widths, &format!("{} pass", duration(pause)))?;
        }
        step(page, indent, &widths, event)?;
        (skipped, before) = (0, Some(event));
    }
    Ok(())
}

/// How often a packet was sent between its first time and the one that is told next, and what it is.
fn repeated<'a>(before: &Event, event: &'a Event) -> Option<(u64, &'a str)> {
    let (what, rest) = event.what.split_once(" again, number ")?;
    let digits = rest.split(|char: char| !char.is_ascii_digit()).next()?;
    let between = digits.parse::<u64>().ok()?.checked_sub(2)?;
    let follows = before.what.split(" – ").next() == Some(what);
    (follows && between > 0).then_some((between, what))
}

/// How wide times and frames are.
struct Widths {
    time: usize,
    frame: usize,
}

impl Widths {
    fn of(events: &[Event]) -> Self {
        let widest = |title: &str, text: fn(&Event) -> String| {
            let texts = events.iter().map(|event| text(event).chars().count());
            texts.chain([title.len()]).max().unwrap_or(0)
        };
        Self { time: widest(TIME, time), frame: widest(FRAME, named) }
    }
}

fn time(event: &Event) -> String {
    moment(event.after_s)
}

fn named(event: &Event) -> String {
    frame(event.file.as_deref(), event.frame)
}

/// `#14`, or `a.pcap#14` where there are several files.
pub(super) fn frame(file: Option<&str>, number: u64) -> String {
    format!("{}#{number}", file.map_or("", file_name))
}

/// The same events; those that prove the verdict say what they mean, unless that only names the packet again.
fn with_meaning(events: &[Event], evidence: &[Evidence]) -> Vec<Event> {
    let words = |text: &str| -> Vec<String> {
        let words = text.split(|char: char| !(char.is_alphanumeric() || char == '_'));
        words.filter(|word| word.len() > 2 && *word != "the").map(str::to_owned).collect()
    };
    let mut events = events.to_vec();
    for event in &mut events {
        let same = |it: &&Evidence| it.frame == event.frame && it.file == event.file;
        if let Some(proof) = evidence.iter().find(same) {
            let said = words(&event.what);
            if !words(&proof.note).iter().any(|word| said.contains(word)) {
                event.what = format!("{} – {}", event.what, proof.note);
            }
        }
    }
    events
}

/// The same events without their file, if it is the same for all of them; and that file.
fn without_common_file(mut events: Vec<Event>) -> (Vec<Event>, Option<String>) {
    let file = events.first().and_then(|event| event.file.clone());
    let common = file.filter(|file| events.iter().all(|event| event.file.as_ref() == Some(file)));
    if common.is_some() {
        events.iter_mut().for_each(|event| event.file = None);
    }
    (events, common)
}

/// What the columns are, and of which file the frames are where that is to be said.
fn titles(page: &mut Page<'_>, indent: usize, widths: &Widths, file: Option<&str>) -> fmt::Result {
    let frames = file.map_or_else(|| FRAME.to_owned(), |file| format!("{FRAME} of {}", file_name(file)));
    let label = Text::new().styled(FAINT, TIME).padded_left(widths.time).plain("  ").styled(FAINT, frames);
    page.line(indent + 2, &label)
}

fn step(page: &mut Page<'_>, indent: usize, widths: &Widths, event: &Event) -> fmt::Result {
    let (mark, style) = if event.decisive { ("▶ ", FAILURE) } else { ("  ", PLAIN) };
    let arrow = if event.by == "client" { "→" } else { "←" };
    let label = Text::new()
        .styled(style, mark)
        .then(Text::new().plain(time(event)).padded_left(widths.time))
        .plain("  ")
        .then(Text::new().styled(FAINT, named(event)).padded(widths.frame))
        .plain(format!("  {arrow} "));
    page.item(indent, &label, &Text::new().styled(style, prose::numbers(&event.what)))
}

/// A line between steps.
fn aside(page: &mut Page<'_>, indent: usize, widths: &Widths, what: &str) -> fmt::Result {
    let text =
        Text::new().plain("⋮").padded_left(widths.time).plain("  ").padded(widths.time + widths.frame + 6);
    page.line(indent + 2, &text.styled(FAINT, what))
}

/// Which steps of a long story to show: its beginning, its end, and what is around the decisive one.
fn selection(events: &[Event]) -> Vec<bool> {
    if events.len() <= STEPS {
        return vec![true; events.len()];
    }
    let decisive = events.iter().position(|event| event.decisive).unwrap_or(events.len() - 1);
    let near = |index: usize| index + 3 >= decisive && index <= decisive + 1;
    (0..events.len()).map(|index| index < 4 || index + 2 >= events.len() || near(index)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::layout::Paper;
    use super::*;

    fn event(after_s: f64, frame: u64, file: Option<&str>, what: &str) -> Event {
        let (file, decisive) = (file.map(Into::into), what.starts_with("here"));
        Event { after_s, frame, file, by: "client", what: what.into(), decisive }
    }

    fn shown(events: &[Event], whole: bool) -> String {
        let mut out = String::new();
        write(&mut Page::new(&mut out, Paper { width: 60, colour: false }), 0, events, &[], whole).unwrap();
        out
    }

    #[test]
    fn the_middle_of_a_long_story_is_left_out_but_never_the_decisive_step() {
        let mut events: Vec<Event> =
            (0..30_u32).map(|n| event(f64::from(n), n.into(), None, "ping")).collect();
        events[15] = event(15.0, 15, None, "here it went wrong");
        let text = shown(&events, false);
        assert_eq!(text.lines().count(), 1 + 4 + 1 + 5 + 1 + 2, "{text}");
        assert!(text.contains("⋮           8 more steps (-v shows them)"), "{text}");
        assert!(text.contains("▶ 15.000 s  #15    → here it went wrong"), "{text}");
        assert_eq!(shown(&events, true).lines().count(), 31);
    }

    #[test]
    fn a_pause_that_is_most_of_the_story_has_a_line() {
        let text = shown(&[event(0.0, 1, None, "request"), event(10.0, 2, None, "here: gives up")], false);
        assert_eq!(
            text,
            "      time  frame\n      0 µs  #1     → request\n         ⋮           10.0 s pass\n▶ 10.000 s  #2     → here: gives up\n"
        );
    }

    #[test]
    fn what_was_sent_in_between_is_no_pause() {
        let repeated = |what: &str| shown(&[event(0.0, 1, None, "SYN"), event(7.13, 9, None, what)], false);
        assert!(repeated("SYN again, number 7").contains("  5 more SYNs in 7.13 s\n"));
        assert!(repeated("SYN again, number 2").contains("  7.13 s pass\n"));
        assert!(repeated("SYN-ACK again, number 7").contains("  7.13 s pass\n"));
    }

    #[test]
    fn proof_says_what_it_means_unless_that_names_the_packet_again() {
        let proof = |frame, note: &str| Evidence { frame, file: None, note: note.to_owned() };
        let events =
            [event(0.0, 1, None, "request 1"), event(1.0, 2, None, "FIN"), event(2.0, 3, None, "RST")];
        let evidence = [proof(1, "the request"), proof(2, "the client gives up"), proof(3, "RST in answer")];
        let told: Vec<String> = with_meaning(&events, &evidence).into_iter().map(|it| it.what).collect();
        assert_eq!(told, ["request 1", "FIN – the client gives up", "RST"]);
    }

    #[test]
    fn frames_of_several_files_bear_their_file() {
        let text =
            shown(&[event(0.0, 9, Some("/tmp/a.pcap"), "x"), event(0.1, 1, Some("b.pcap"), "y")], false);
        assert_eq!(text, "    time  frame\n    0 µs  a.pcap#9  → x\n  100 ms  b.pcap#1  → y\n");
        let text = shown(&[event(0.0, 9, Some("/tmp/a.pcap"), "x")], false);
        assert_eq!(text, "  time  frame of a.pcap\n  0 µs  #9     → x\n");
    }
}
