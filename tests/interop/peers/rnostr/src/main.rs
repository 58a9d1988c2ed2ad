// The relay that rnostr's crates make: rnostr SETTINGS.toml
use nostr_relay::App;

#[actix_rt::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let settings = std::env::args().nth(1).ok_or("usage: rnostr SETTINGS.toml")?;
    let app = App::create(Some(&settings), false, Some("RNOSTR".to_owned()), None)?;
    let db = app.db.clone();
    app.add_extension(nostr_extensions::Auth::new())
        .add_extension(nostr_extensions::Ratelimiter::new())
        .add_extension(nostr_extensions::Count::new(db))
        .web_server()?
        .await?;
    Ok(())
}
