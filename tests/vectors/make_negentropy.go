// Writes negentropy.json: whole reconciliations between two sets as go-nostr's implementation plays both sides, every message in
// hex. Item i of a vector has the id SHA-256("negentropy item <i>") and created_at 1790000000 + floor(i / per_second); the
// initiator holds all but `initiator_lacks`, the responder all but `responder_lacks`.
//
//	cd tests/interop/peers/khatru && go run ../../../vectors/make_negentropy.go >../../../vectors/negentropy.json
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"sync"

	"github.com/nbd-wtf/go-nostr"
	"github.com/nbd-wtf/go-nostr/nip77/negentropy"
	"github.com/nbd-wtf/go-nostr/nip77/negentropy/storage/vector"
)

type conversation struct {
	What           string   `json:"what"`
	Count          int      `json:"count"`
	PerSecond      int      `json:"per_second"`
	InitiatorLacks []int    `json:"initiator_lacks"`
	ResponderLacks []int    `json:"responder_lacks"`
	Messages       []string `json:"messages"`
}

func id(i int) string {
	sum := sha256.Sum256([]byte(fmt.Sprintf("negentropy item %d", i)))
	return hex.EncodeToString(sum[:])
}

func numbers(from, to, step int) []int {
	out := []int{}
	for i := from; i < to; i += step {
		out = append(out, i)
	}
	return out
}

func side(c conversation, lacks []int) *negentropy.Negentropy {
	missing := map[int]bool{}
	for _, i := range lacks {
		missing[i] = true
	}
	store := vector.New()
	for i := 0; i < c.Count; i++ {
		if !missing[i] {
			store.Insert(nostr.Timestamp(1790000000+i/c.PerSecond), id(i))
		}
	}
	store.Seal()
	return negentropy.New(store, 60_000)
}

// Ends the program unless what was found is what is lacking.
func check(what string, lacking []int, found []string) {
	want := []string{}
	for _, i := range lacking {
		want = append(want, id(i))
	}
	sort.Strings(want)
	sort.Strings(found)
	if fmt.Sprint(want) != fmt.Sprint(found) {
		fmt.Fprintln(os.Stderr, what, ": go-nostr is wrong")
		os.Exit(1)
	}
}

func play(c conversation) conversation {
	initiator := side(c, c.InitiatorLacks)
	responder := side(c, c.ResponderLacks)
	var have, need []string
	var drained sync.WaitGroup
	drain := func(from chan string, to *[]string) {
		defer drained.Done()
		for x := range from {
			*to = append(*to, x)
		}
	}
	drained.Add(2)
	go drain(initiator.Haves, &have)
	go drain(initiator.HaveNots, &need)
	for message := initiator.Start(); message != ""; {
		answer, err := responder.Reconcile(message)
		if err != nil {
			panic(err)
		}
		c.Messages = append(c.Messages, message, answer)
		if message, err = initiator.Reconcile(answer); err != nil {
			panic(err)
		}
	}
	drained.Wait()
	check(c.What, c.ResponderLacks, have)
	check(c.What, c.InitiatorLacks, need)
	return c
}

func main() {
	none := []int{}
	all := []conversation{
		{"both empty", 0, 1, none, none, nil},
		{"the initiator empty", 20, 1, numbers(0, 20, 1), none, nil},
		{"the responder empty", 40, 1, none, numbers(0, 40, 1), nil},
		{"equal sets of 31, by ids", 31, 1, none, none, nil},
		{"equal sets of 32, by fingerprints", 32, 1, none, none, nil},
		{"one lacking on each side of 1000", 1000, 1, []int{500}, []int{501}, nil},
		{"all in one second", 300, 1000, []int{0, 77}, []int{150, 299}, nil},
		{"seven a second", 2000, 7, numbers(3, 2000, 397), numbers(10, 2000, 401), nil},
		{"the newest hundred are new to the responder", 1500, 1, none, numbers(1400, 1500, 1), nil},
	}
	for i := range all {
		all[i] = play(all[i])
	}
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", " ")
	out.Encode(map[string]any{"conversations": all})
}
