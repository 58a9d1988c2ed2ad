// Frames from a file to verified events with go-nostr, as its relay does it: parse and signature over the hash of the
// event's own serialization; and the id, which its relay leaves out. One thread.
package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"syscall"

	"github.com/nbd-wtf/go-nostr"
)

func cpuSeconds() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	seconds := func(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)*1e-6 }
	return seconds(usage.Utime) + seconds(usage.Stime)
}

func main() {
	if len(os.Args) != 2 {
		panic("usage: bench-go-nostr FILE")
	}
	runtime.GOMAXPROCS(1)
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	frames := bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
	before := cpuSeconds()
	for _, frame := range frames {
		envelope := nostr.ParseMessage(string(frame))
		message, ok := envelope.(*nostr.EventEnvelope)
		if !ok || !message.Event.CheckID() {
			panic("an id does not match")
		}
		if ok, _ := message.Event.CheckSignature(); !ok {
			panic("a signature does not hold")
		}
	}
	fmt.Printf("{\"events\":%d,\"seconds\":%.6f}\n", len(frames), cpuSeconds()-before)
}
