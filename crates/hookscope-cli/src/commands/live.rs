//! `hookscope live`: turns running traffic into lines as calls fail, and a report in the end.

use super::Status;
#[cfg(feature = "live")]
use super::{analyze, refuse_reading_twice};
use crate::args::Live;
use crate::failure::Failure;
#[cfg(feature = "live")]
use crate::{args::Format, complain, live, output, text};

/// Captures, tells, and reports.
#[cfg(feature = "live")]
pub(super) fn run(args: &Live) -> Result<Status, Failure> {
    if args.list_interfaces {
        return list_interfaces();
    }
    if args.print_filter {
        let filter = live::filter(args);
        hookscope_capture::live::check_filter(&filter)?;
        output::to_stdout(|out| writeln!(out, "{filter}"))?;
        return Ok(Status::Clean);
    }
    refuse_reading_twice([&args.judging.cluster])?;
    analyze::choose_zone(&args.shape);
    let reading = live::watch(args)?;
    if args.shape.format != Format::Text || args.shape.quiet {
        reading.report.capture.warnings.iter().for_each(|warning| complain(warning));
        text::filtered(&reading.report, &reading.left_out, reading.typed)
            .iter()
            .for_each(|remark| complain(remark));
    }
    output::to_stdout(|out| match args.shape.format {
        Format::Ndjson => output::ndjson_rest(out, &reading.report),
        Format::Text if !args.shape.quiet => {
            out.write_all(b"\n")?;
            analyze::write(out, &args.shape, &reading)
        }
        _ => analyze::write(out, &args.shape, &reading),
    })?;
    Ok(analyze::status(&reading.report))
}

/// A line for each interface: its name, whether it is up, its addresses.
#[cfg(feature = "live")]
fn list_interfaces() -> Result<Status, Failure> {
    let interfaces = hookscope_capture::live::interfaces()?;
    let width = interfaces.iter().map(|interface| interface.name.len()).max().unwrap_or(0);
    output::to_stdout(|out| {
        interfaces.iter().try_for_each(|interface| {
            let state = if interface.is_up { "up  " } else { "down" };
            let addresses = match interface.name.as_str() {
                "any" => "all interfaces".to_owned(),
                _ => interface.addresses.join(", "),
            };
            let line = format!("{:width$}  {state}  {addresses}", interface.name);
            writeln!(out, "{}", text::printable(line.trim_end()))
        })
    })?;
    Ok(Status::Clean)
}

/// Says what to do instead.
#[cfg(not(feature = "live"))]
pub(super) fn run(args: &Live) -> Result<Status, Failure> {
    let interface = args.interface.first().map_or("any", String::as_str);
    let filter = if args.filter.is_empty() {
        "tcp or icmp or icmp6 or udp port 53".to_owned()
    } else {
        args.filter.join(" ")
    };
    Err(Failure::NotBuiltIn {
        instead: format!("tcpdump -i {interface} -s 0 -U -w - '{filter}' | hookscope -"),
    })
}
