//! docs/preflight.md and the code name the same.

use lanes::preflight::Anchor;
use strum::VariantArray;

use crate::read;

#[test]
fn every_anchor_is_a_section_and_every_section_an_anchor() {
    let text = read("../../docs/preflight.md");
    let sections: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    let anchors: Vec<String> = Anchor::VARIANTS.iter().map(Anchor::to_string).collect();
    assert_eq!(sections, anchors);
}

#[test]
fn every_section_says_what_it_means_how_to_mend_it_and_how_to_see_it() {
    let text = read("../../docs/preflight.md");
    for section in text.split("\n### ").skip(1) {
        let name = section.lines().next().unwrap();
        for part in ["**What happens.**", "**Remedy.**", "```sh\nkubectl "] {
            assert!(section.contains(part), "{name}: {part}");
        }
    }
}
