//! What a gateway's rendering has no lanes for.

use lanes::{document::LaneGroup, render::behind};

use crate::command::{YELLOW, remark};

/// Says which services no route leads to. `unless` says what keeps lanes there.
pub(super) fn say(group: &LaneGroup, unless: &str) {
    let behind: Vec<&str> = behind(group).map(|service| service.name.as_str()).collect();
    if !behind.is_empty() {
        let behind = behind.join(", ");
        remark(format_args!(
            "{YELLOW}note:{YELLOW:#} no route leads to {behind}: requests leave their lane there, unless {unless}"
        ));
    }
}
