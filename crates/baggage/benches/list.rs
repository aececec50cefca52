//! Bytes per second through a list, by the number of its members: looking for one member, and writing the list anew with
//! another in its place.

use std::{borrow::Cow, hint::black_box};

use baggage::{List, Member, Rewrite, encode};
use criterion::{BenchmarkId, Criterion, Throughput};

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    measure(&mut criterion, "scan", |list| lane(list).and_then(Member::value).map(Cow::into_owned));
    measure(&mut criterion, "rewrite", rewritten);
    criterion.final_summary();
}

fn measure<T>(criterion: &mut Criterion, name: &str, work: impl Fn(&[u8]) -> T) {
    let mut group = criterion.benchmark_group(name);
    for members in [1, 8, 64] {
        let list = list(members);
        group.throughput(Throughput::Bytes(list.len() as u64));
        group.bench_function(BenchmarkId::from_parameter(members), |bencher| {
            bencher.iter(|| work(black_box(&list)));
        });
    }
    group.finish();
}

/// Of duplicates the last counts, so the whole list is read.
fn lane(list: &[u8]) -> Option<Member<'_>> {
    List(list).members().filter(|member| is_lane(*member)).last()
}

fn is_lane(member: Member<'_>) -> bool {
    member.key() == Some(b"lane")
}

fn rewritten(list: &[u8]) -> Vec<u8> {
    let mut rewrite = Rewrite::default();
    rewrite.push_pair(b"lane", &encode(b"s2"));
    for member in List(list).members().filter(|member| !is_lane(*member)) {
        rewrite.push(member);
    }
    rewrite.finish()
}

/// The lane's member last, behind those of an application.
fn list(members: usize) -> Vec<u8> {
    let others = (1..members).map(|n| format!("attribute-{n}=value%20of%20attribute%20{n};ttl=30,"));
    (others.collect::<String>() + "lane=s1").into_bytes()
}
