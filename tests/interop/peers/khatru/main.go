// A khatru relay on one loopback port with its events in one folder: khatru's own basic-badger example, except that
// address and folder are arguments. With --auth it treats kind 30078 as NIP-78 of September 2026 asks: accepted from and
// served to its authenticated author only. With --members KEY,KEY it serves these alone, whatever the kind, and asks
// everybody else for AUTH, those too who have proved another key; each refusal is a line "refused REQ" or "refused EVENT".
// Prints "listening on ADDRESS" once it accepts connections.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/fiatjaf/eventstore/badger"
	"github.com/fiatjaf/khatru"
	"github.com/nbd-wtf/go-nostr"
)

const ownerPrivate = 30078

// Why the authenticated client, if it is one, may not see or write what these authors wrote.
func notTheOwner(ctx context.Context, authors []string) (bool, string) {
	authed := khatru.GetAuthed(ctx)
	if authed == "" {
		return true, "auth-required: kind 30078 is for its author"
	}
	if len(authors) != 1 || authors[0] != authed {
		return true, "restricted: kind 30078 is for its author"
	}
	return false, ""
}

func demandOwner(relay *khatru.Relay) {
	relay.RejectEvent = append(relay.RejectEvent, func(ctx context.Context, event *nostr.Event) (bool, string) {
		if event.Kind != ownerPrivate {
			return false, ""
		}
		return notTheOwner(ctx, []string{event.PubKey})
	})
	relay.RejectFilter = append(relay.RejectFilter, func(ctx context.Context, filter nostr.Filter) (bool, string) {
		if !slices.Contains(filter.Kinds, ownerPrivate) {
			return false, ""
		}
		return notTheOwner(ctx, filter.Authors)
	})
}

func demandMembers(relay *khatru.Relay, members []string) {
	refuse := func(ctx context.Context, what string) (bool, string) {
		if slices.Contains(members, khatru.GetAuthed(ctx)) {
			return false, ""
		}
		fmt.Println("refused", what)
		return true, "auth-required: members only"
	}
	relay.RejectEvent = append(relay.RejectEvent, func(ctx context.Context, event *nostr.Event) (bool, string) {
		return refuse(ctx, "EVENT")
	})
	relay.RejectFilter = append(relay.RejectFilter, func(ctx context.Context, filter nostr.Filter) (bool, string) {
		return refuse(ctx, "REQ")
	})
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func main() {
	address := flag.String("addr", "127.0.0.1:0", "where to listen")
	folder := flag.String("dir", "", "where the events are kept")
	auth := flag.Bool("auth", false, "keep kind 30078 to its author")
	members := flag.String("members", "", "the keys (hex, with commas between them) that alone may write and read")
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
	if *auth {
		demandOwner(relay)
	}
	if *members != "" {
		demandMembers(relay, strings.Split(*members, ","))
	}

	listener, err := net.Listen("tcp", *address)
	if err != nil {
		fail(err)
	}
	fmt.Println("listening on", listener.Addr())
	fail(http.Serve(listener, relay))
}
