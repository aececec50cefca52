//! Whole clusters, as a real API server has them: `CLUSTER_STATES` is a folder of files named after what is wrong in them.

use std::{env, fs, path::PathBuf};

use lanes::preflight::{Cluster, preflight};

use crate::{group, published};

#[test]
#[ignore = "needs CLUSTER_STATES"]
fn every_state_has_findings_unless_it_is_healthy() {
    let folder = PathBuf::from(env::var("CLUSTER_STATES").unwrap());
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        let name = file.file_stem().unwrap().to_str().unwrap();
        let mut cluster = Cluster::default();
        cluster.read(&fs::read_to_string(&file).unwrap()).unwrap();
        let findings = preflight(&group(&published()), &cluster).unwrap();
        let anchors: Vec<String> = findings.iter().map(|finding| finding.anchor.to_string()).collect();
        println!("{name}: {}", anchors.join(", "));
        assert_eq!(findings.len(), usize::from(!name.starts_with("healthy")), "{name}: {anchors:?}");
    }
}
