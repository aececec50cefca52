//! What the publication says: Alibaba Cloud Service Mesh, canary release by user segment with the hash-tagging plug-in.

/// A share of the users for the canary, and who is in it.
pub(super) struct Step {
    pub(super) title: &'static str,
    /// The first policy's `range`.
    pub(super) range: u32,
    /// Users and the versions of mocka, mockb and mockc that answer them.
    pub(super) users: [(&'static str, &'static str); 6],
}

const CANARY: &str = "v1,v1,v2";
const STABLE: &str = "v1,v1,v1";

/// mockc has a canary, v2; mocka and mockb have only v1. jason is sent there by a route of his own.
pub(super) const STEPS: [Step; 3] = [
    Step {
        title: "20 % of the users are in the canary",
        range: 20,
        users: [
            ("jason", CANARY),
            ("bob", STABLE),
            ("stacy", STABLE),
            ("jessie", CANARY),
            ("vance", STABLE),
            ("jack", CANARY),
        ],
    },
    Step {
        title: "Ramped to 50 %: bob and stacy join, nobody leaves",
        range: 50,
        users: [
            ("jason", CANARY),
            ("bob", CANARY),
            ("stacy", CANARY),
            ("jessie", CANARY),
            ("vance", STABLE),
            ("jack", CANARY),
        ],
    },
    Step {
        title: "Rolled back with range 0: the canary is empty, but for jason and his route",
        range: 0,
        users: [
            ("jason", CANARY),
            ("bob", STABLE),
            ("stacy", STABLE),
            ("jessie", STABLE),
            ("vance", STABLE),
            ("jack", STABLE),
        ],
    },
];

/// The user whose requests are watched while the canary's only pod dies, and where they go meanwhile.
pub(super) const FAULT: (&str, &str, &str) = ("jason", CANARY, STABLE);
