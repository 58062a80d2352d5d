//! The map of the core: which module may use which. Imports only go down, so that a layer can be read, tested and
//! changed without those above it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Each module and those that it may use, the lowest first. A module may use what stands above its own line.
const MAP: &[(&str, &[&str])] = &[
    // Words that all layers share.
    ("bytes", &[]),
    ("time", &[]),
    ("side", &[]),
    ("packet", &["time"]),
    ("flow", &[]),
    ("verdict", &["side"]),
    // Chains of certificates, and who trusts them.
    ("trust", &["time"]),
    // A cluster's objects, and who stands behind an address.
    ("cluster", &[]),
    // Settings.
    ("filter", &["flow"]),
    ("rule", &["packet", "side", "time", "verdict"]),
    ("config", &["cluster", "filter", "rule"]),
    // Octets of one packet: no state.
    ("wire", &["flow", "packet", "time"]),
    // The IP datagrams of several.
    ("fragments", &["config", "time", "wire"]),
    // One connection, layer by layer: none of them knows another, but for the chunks that TCP delivers.
    ("tcp", &["packet", "time", "wire"]),
    ("tls", &["bytes", "flow", "packet", "side", "tcp", "time"]),
    ("http", &["packet", "side", "tcp"]),
    ("call", &["packet", "side", "time"]),
    // DNS, over UDP and TCP.
    ("lookup", &["config", "flow", "packet", "side", "tcp", "time", "wire"]),
    // The only one that knows all protocol layers.
    (
        "connection",
        &["call", "config", "flow", "http", "lookup", "packet", "side", "tcp", "time", "tls", "wire"],
    ),
    // What it means.
    (
        "diagnosis",
        &[
            "call",
            "cluster",
            "config",
            "connection",
            "flow",
            "lookup",
            "packet",
            "rule",
            "side",
            "tcp",
            "time",
            "tls",
            "trust",
            "verdict",
            "wire",
        ],
    ),
    // Packets in, findings out.
    (
        "inspect",
        &[
            "call",
            "config",
            "connection",
            "diagnosis",
            "flow",
            "fragments",
            "lookup",
            "packet",
            "side",
            "time",
            "tls",
            "wire",
        ],
    ),
    // What kube-apiserver says of its calls.
    ("log", &["config", "diagnosis", "time"]),
    // Findings in the words of the outside.
    (
        "report",
        &[
            "cluster",
            "config",
            "connection",
            "diagnosis",
            "flow",
            "http",
            "inspect",
            "log",
            "lookup",
            "packet",
            "side",
            "time",
            "tls",
            "trust",
            "verdict",
        ],
    ),
    // Hostile bytes for all of them; not part of the library.
    (
        "fuzz",
        &[
            "config",
            "diagnosis",
            "flow",
            "fragments",
            "http",
            "log",
            "lookup",
            "packet",
            "report",
            "side",
            "tcp",
            "time",
            "tls",
            "trust",
            "wire",
        ],
    ),
];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The library's files with the module that each belongs to.
fn files() -> Vec<(String, PathBuf)> {
    let mut files = Vec::new();
    let mut folders = vec![source()];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "rs") {
                let place = path.strip_prefix(source()).unwrap().iter().next().unwrap().to_string_lossy();
                files.push((place.trim_end_matches(".rs").to_owned(), path));
            }
        }
    }
    files
}

/// The code of a file, without its tests, comments and text.
fn code(path: &Path) -> String {
    if path.file_name().is_some_and(|name| name == "tests.rs") {
        return String::new();
    }
    let text = fs::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The top-level modules that `code` names after `crate::`, in paths and in lists of imports.
fn used(code: &str) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        let list = rest.strip_prefix('{').and_then(|list| list.split(';').next());
        for path in list.map_or_else(|| vec![rest], |list| list.split(',').collect()) {
            let name =
                path.trim().split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
            used.insert(name.to_owned());
        }
    }
    used.retain(|name| name.starts_with(|c: char| c.is_lowercase()) && source_of(name));
    used
}

fn source_of(module: &str) -> bool {
    source().join(format!("{module}.rs")).exists() || source().join(module).is_dir()
}

#[test]
fn modules_use_only_what_the_map_allows() {
    let map: BTreeMap<_, _> = MAP.iter().copied().collect();
    let mut failures = Vec::new();
    for (module, path) in files() {
        if module == "lib" {
            continue;
        }
        let Some(allowed) = map.get(module.as_str()) else {
            failures.push(format!("{module} is not on the map in tests/layers.rs"));
            continue;
        };
        for name in used(&code(&path)) {
            if name != module && !allowed.contains(&name.as_str()) {
                let path = path.strip_prefix(source()).unwrap().display();
                failures.push(format!("{path} uses {name}, and {module} may not"));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_map_only_leads_down() {
    for (place, (module, uses)) in MAP.iter().enumerate() {
        for used in *uses {
            let below = MAP[..place].iter().any(|(lower, _)| lower == used);
            assert!(below, "the map lets {module} use {used}, which does not lie below it");
        }
    }
}

#[test]
fn the_map_allows_nothing_that_is_not_used() {
    let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (module, path) in files() {
        uses.entry(module).or_default().extend(used(&code(&path)));
    }
    let mut failures = Vec::new();
    for (module, allowed) in MAP.iter().filter(|(module, _)| uses.contains_key(*module)) {
        for name in allowed.iter().filter(|name| source_of(name) && !uses[*module].contains(**name)) {
            failures.push(format!("{module} does not use {name}: strike it off the map"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn imports_are_found_in_paths_and_in_lists() {
    let code =
        "use crate::time::Elapsed;\nuse crate::{\n packet::Frame,\n side,\n};\nfn f() -> crate::wire::Flags";
    let expected: BTreeSet<_> = ["packet", "side", "time", "wire"].map(str::to_owned).into();
    assert_eq!(used(code), expected);
}
