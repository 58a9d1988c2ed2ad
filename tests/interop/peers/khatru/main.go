// A khatru relay on one loopback port with its events in one folder: khatru's own basic-badger example, except that
// address and folder are arguments. Prints "listening on ADDRESS" once it accepts connections.
package main

import (
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"

	"github.com/fiatjaf/eventstore/badger"
	"github.com/fiatjaf/khatru"
)

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func main() {
	address := flag.String("addr", "127.0.0.1:0", "where to listen")
	folder := flag.String("dir", "", "where the events are kept")
	flag.Parse()

	db := badger.BadgerBackend{Path: *folder}
	if err := db.Init(); err != nil {
		fail(err)
	}
	relay := khatru.NewRelay()
	relay.StoreEvent = append(relay.StoreEvent, db.SaveEvent)
	relay.QueryEvents = append(relay.QueryEvents, db.QueryEvents)
	relay.CountEvents = append(relay.CountEvents, db.CountEvents)
	relay.DeleteEvent = append(relay.DeleteEvent, db.DeleteEvent)
	relay.ReplaceEvent = append(relay.ReplaceEvent, db.ReplaceEvent)
	relay.Negentropy = true

	listener, err := net.Listen("tcp", *address)
	if err != nil {
		fail(err)
	}
	fmt.Println("listening on", listener.Addr())
	fail(http.Serve(listener, relay))
}
