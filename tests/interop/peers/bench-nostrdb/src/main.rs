// Frames from a file into nostrdb: parse, id, signature, and the write to LMDB, with one ingester
// thread beside its writer. Ends when the last event can be found.
use nostrdb::{Config, Filter, Ndb};

fn cpu_seconds() -> f64 {
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut usage) };
    let seconds = |t: libc::timeval| t.tv_sec as f64 + t.tv_usec as f64 * 1e-6;
    seconds(usage.ru_utime) + seconds(usage.ru_stime)
}

fn main() {
    let path = std::env::args().nth(1).expect("usage: bench-nostrdb FILE FOLDER");
    let folder = std::env::args().nth(2).expect("usage: bench-nostrdb FILE FOLDER");
    let text = std::fs::read_to_string(path).expect("the file cannot be read");
    let frames: Vec<&str> = text.lines().collect();
    let config = Config::new().set_ingester_threads(1).set_mapsize(4 << 30);
    let db = Ndb::new(&folder, &config).expect("nostrdb does not open");
    let filter = Filter::new().kinds([30078]).build();
    let subscription = db.subscribe(&[filter]).expect("nostrdb does not subscribe");
    let before = cpu_seconds();
    let mut stored = 0;
    let mut last = std::time::Instant::now();
    for frame in &frames {
        db.process_event(frame).expect("nostrdb takes no event");
        stored += db.poll_for_notes(subscription, 1000).len();
    }
    while stored < frames.len() && last.elapsed().as_secs() < 60 {
        let more = db.poll_for_notes(subscription, 1000).len();
        if more > 0 {
            stored += more;
            last = std::time::Instant::now();
        } else {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
    let seconds = cpu_seconds() - before;
    assert_eq!(stored, frames.len());
    println!("{{\"events\":{},\"seconds\":{:.6}}}", frames.len(), seconds);
}
