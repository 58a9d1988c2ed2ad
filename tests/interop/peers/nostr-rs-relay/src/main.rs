// The relay, as its own program starts it: nostr-rs-relay SETTINGS.toml
use nostr_rs_relay::{config::Settings, server::start_server};
use std::sync::mpsc;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args().nth(1).ok_or("usage: nostr-rs-relay SETTINGS.toml")?;
    let settings = Settings::new(&Some(file))?;
    let (_, never) = mpsc::channel();
    start_server(&settings, never)?;
    Ok(())
}
