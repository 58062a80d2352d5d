//! `hookscope explain [CODE]`: turns the catalogue of verdicts, or what kube-apiserver said, into pages for people.

use std::fmt;
use std::io::{self, Read};

use hookscope::diagnosis::message::explain;

use super::Status;
use crate::args::Explain;
use crate::failure::Failure;
use crate::text::{self, Code, Paper};
use crate::{engine, output, terminal};

/// From how alike on a code may be what was meant.
const ALIKE: f64 = 0.7;
/// Octets of a message that are read from standard input.
const MESSAGE: u64 = 1 << 20;

/// Explains a code, or lists all.
pub(super) fn run(args: &Explain) -> Result<Status, Failure> {
    let catalogue = engine::catalogue();
    let paper = terminal::paper(args.color.when);
    let mut out = String::new();
    write(&mut out, paper, args, &catalogue)?.map_err(io::Error::other)?;
    output::to_stdout(|stdout| stdout.write_all(out.as_bytes()))?;
    Ok(Status::Clean)
}

fn write(out: &mut String, paper: Paper, args: &Explain, catalogue: &[Code]) -> Result<fmt::Result, Failure> {
    if let Some(message) = &args.error {
        let message = if message == "-" { piped()? } else { message.clone() };
        if message.trim().is_empty() {
            return Err(Failure::NoMessage);
        }
        return Ok(text::error(out, paper, &explain(&message), catalogue));
    }
    let Some(wanted) = &args.code else { return Ok(text::codes(out, paper, catalogue)) };
    let name = wanted.to_ascii_lowercase();
    match engine::entry(&name) {
        Some(entry) => Ok(text::page(out, paper, &entry)),
        None if catalogue.iter().any(|code| code.class == name) => {
            let of_class: Vec<Code> = catalogue.iter().filter(|code| code.class == name).cloned().collect();
            Ok(text::codes(out, paper, &of_class))
        }
        None => Err(Failure::UnknownCode { code: wanted.clone(), advice: advice(wanted, catalogue) }),
    }
}

/// The message that is piped in: as much of it as a message can be.
fn piped() -> Result<String, Failure> {
    let mut message = Vec::new();
    let stdin = io::stdin().lock();
    stdin.take(MESSAGE).read_to_end(&mut message).map_err(Failure::Message)?;
    Ok(String::from_utf8_lossy(&message).into_owned())
}

/// What may have been meant, most likely first; else where to look.
pub(super) fn advice(wanted: &str, catalogue: &[Code]) -> String {
    let wanted = wanted.to_ascii_lowercase();
    let alike = |code: &str| {
        // `unknown-ca` is as good as `tls-unknown-ca`.
        if wanted.len() > 2 && code.contains(&wanted) {
            1.0
        } else {
            strsim::normalized_damerau_levenshtein(code, &wanted)
        }
    };
    let mut close: Vec<_> = catalogue
        .iter()
        .map(|entry| (alike(entry.code), entry.code))
        .filter(|(alike, _)| *alike >= ALIKE)
        .collect();
    close.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    let codes: Vec<&str> = close.into_iter().take(3).map(|(_, code)| code).collect();
    if codes.is_empty() {
        "'hookscope explain' lists all codes".to_owned()
    } else {
        format!("did you mean {}?", codes.join(" or "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::sample;

    #[test]
    fn a_mistyped_code_is_met_with_those_like_it() {
        let advice = |wanted| advice(wanted, &sample::codes());
        assert_eq!(advice("syn-unanswred"), "did you mean syn-unanswered?");
        assert_eq!(advice("SYN-ACK-IGNORE"), "did you mean syn-ack-ignored?");
        assert_eq!(advice("unanswered"), "did you mean syn-unanswered?");
        assert_eq!(advice("nonsense"), "'hookscope explain' lists all codes");
    }
}
