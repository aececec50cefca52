//! Bytes per second through each hash function, by the identity's length.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use hash_tagging::Hash;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let hashes = [
        ("fnv1a32", Hash::Fnv1a32),
        ("murmur3", Hash::Murmur3 { salt: Vec::new() }),
        ("murmur3, salted", Hash::Murmur3 { salt: b"checkout-2026-11".to_vec() }),
    ];
    for (name, hash) in hashes {
        let mut group = criterion.benchmark_group(name);
        for length in [8, 16, 36, 64, 128, 256] {
            let identity: Vec<u8> = (0..=u8::MAX).take(length).collect();
            group.throughput(Throughput::Bytes(identity.len() as u64));
            group.bench_function(BenchmarkId::from_parameter(length), |bencher| {
                bencher.iter(|| hash.of(black_box(&identity)));
            });
        }
        group.finish();
    }
    criterion.final_summary();
}
