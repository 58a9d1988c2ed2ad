// Frames from a file to verified events with rust-nostr: parse, id and signature, on one thread.
use nostr::prelude::*;

fn cpu_seconds() -> f64 {
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut usage) };
    let seconds = |t: libc::timeval| t.tv_sec as f64 + t.tv_usec as f64 * 1e-6;
    seconds(usage.ru_utime) + seconds(usage.ru_stime)
}

fn main() {
    let path = std::env::args().nth(1).expect("usage: bench-rust-nostr FILE");
    let text = std::fs::read_to_string(path).expect("the file cannot be read");
    let frames: Vec<&str> = text.lines().collect();
    let before = cpu_seconds();
    let mut verified = 0;
    for frame in &frames {
        if let Ok(RelayMessage::Event { event, .. }) = RelayMessage::from_json(*frame) {
            if event.verify().is_ok() {
                verified += 1;
            }
        }
    }
    let seconds = cpu_seconds() - before;
    assert_eq!(verified, frames.len());
    println!("{{\"events\":{},\"seconds\":{:.6}}}", frames.len(), seconds);
}
