//! By which name the program was called: by its own, or as a plugin of kubectl's.
//!
//! kubectl runs any file named `kubectl-hookscope` for `kubectl hookscope`; that file is this program.

use std::env;
use std::path::Path;
use std::sync::LazyLock;

const OWN: &str = "hookscope";
const PLUGIN: &str = "kubectl hookscope";

/// What people type to call it.
pub(crate) fn name() -> &'static str {
    static NAME: LazyLock<&str> =
        LazyLock::new(|| env::args_os().next().map_or(OWN, |path| named(Path::new(&path))));
    *NAME
}

/// Text that has the program's own name in it, with the name that people type.
pub(crate) fn renamed(text: &str) -> String {
    with_name(text, name())
}

fn named(path: &Path) -> &'static str {
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    if stem == Some("kubectl-hookscope") { PLUGIN } else { OWN }
}

fn with_name(text: &str, name: &str) -> String {
    // Not the file of the program, the environment's variables, or kubectl's word before it.
    text.replace("hookscope ", &format!("{name} "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_by_the_name_of_its_file() {
        for (path, name) in [
            ("hookscope", OWN),
            ("/usr/bin/hookscope", OWN),
            ("/root/.krew/bin/kubectl-hookscope", PLUGIN),
            ("kubectl-hookscope.exe", PLUGIN),
            ("", OWN),
        ] {
            assert_eq!(named(Path::new(path)), name, "{path}");
        }
    }

    #[test]
    fn examples_are_as_they_are_typed() {
        let text = "  hookscope a.pcap\n  cat a.pcap | hookscope -\n  HOOKSCOPE_SLOW";
        assert_eq!(with_name(text, OWN), text);
        let typed = "  kubectl hookscope a.pcap\n  cat a.pcap | kubectl hookscope -\n  HOOKSCOPE_SLOW";
        assert_eq!(with_name(text, PLUGIN), typed);
    }
}
