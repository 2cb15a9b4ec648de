//! What the store does on PostgreSQL next to what the same server does by plain SQL, all in one run on one server:
//! `scripts/with-servers cargo run --release -p booking-store-pg --example pg_holds [lone] [holds] [pays] [sizes]`. Without a name
//! all but `sizes`, which loads a million reservations first. ROUNDS=3 SECONDS=3 CLIENTS=64 PING=1; SYNC=1 waits for the disk.

mod holds;
mod lone;
mod pays;
mod rivals;
mod sizes;
mod world;

/// As the command has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let mut wanted: Vec<String> = std::env::args().skip(1).collect();
    if wanted.is_empty() {
        wanted = ["lone", "holds", "pays"].map(String::from).into();
    }
    for name in wanted {
        match name.as_str() {
            "lone" => lone::measure().await,
            "holds" => holds::measure().await,
            "pays" => pays::measure().await,
            "sizes" => sizes::measure().await,
            other => panic!("there is no {other:?}; choose among lone, holds, pays and sizes"),
        }
    }
}
