//! Any text as the resources of another product: what is imported is a lane group, and its text says the same.
#![no_main]

use lanes::{file, import};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let files = [("resources.yaml".to_owned(), text.to_owned())];
    let options = import::Options { default_port: Some(8000), ..import::Options::default() };
    let Ok(imported) = import::import(&files, &options) else { return };
    for imported in imported.groups {
        let read = file::read("imported.yaml", &imported.text);
        let groups: Vec<String> = read.groups.iter().map(|group| serde_json::to_string(group).unwrap()).collect();
        let is_refused = groups.is_empty();
        assert!(is_refused || groups == [serde_json::to_string(&imported.group).unwrap()], "{}", imported.text);
    }
});
