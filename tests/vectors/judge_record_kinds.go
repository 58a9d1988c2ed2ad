// Adds to the records on standard input some that boxo made, and to each what boxo says of it: whether it is valid, and the fields
// as boxo reads them. See make_record_kinds.mjs.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/ipfs/boxo/ipns"
	"github.com/ipfs/boxo/path"
	ic "github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
)

type row struct {
	What     string `json:"what"`
	Name     string `json:"name"`
	Boxo     string `json:"boxo"`
	JsIpns   string `json:"js_ipns,omitempty"`
	Ours     string `json:"ours,omitempty"`
	Value    string `json:"value,omitempty"`
	Sequence string `json:"sequence,omitempty"`
	Seconds  string `json:"seconds,omitempty"`
	Nanos    int    `json:"nanoseconds,omitempty"`
	Ttl      string `json:"ttl_ns,omitempty"`
	Record   string `json:"record"`
}

type file struct {
	Records []row `json:"records"`
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func judge(r *row) {
	raw := must(base64.StdEncoding.DecodeString(r.Record))
	r.Boxo = "valid"
	record, err := ipns.UnmarshalRecord(raw)
	if err == nil {
		err = ipns.ValidateWithName(record, must(ipns.NameFromString(r.Name)))
	}
	if err != nil {
		r.Boxo = err.Error()
		return
	}
	if value, err := record.Value(); err == nil {
		r.Value = value.String()
	}
	if sequence, err := record.Sequence(); err == nil {
		r.Sequence = strconv.FormatUint(sequence, 10)
	}
	if eol, err := record.Validity(); err == nil {
		r.Seconds = strconv.FormatInt(eol.Unix(), 10)
		r.Nanos = eol.Nanosecond()
	}
	if ttl, err := record.TTL(); err == nil {
		r.Ttl = strconv.FormatInt(int64(ttl), 10)
	}
}

func made() []row {
	value := must(path.NewPath("/ipfs/bafkreicysg23kiwv34eg2d7qweipxwosdo2py4ldv42nbauguluen5v6am"))
	eol := time.Date(2100, 1, 2, 3, 4, 5, 678901234, time.FixedZone("", 5*3600+45*60))
	var out []row
	add := func(what string, key ic.PrivKey, sequence uint64, ttl time.Duration, options ...ipns.Option) {
		record := must(ipns.NewRecord(key, value, sequence, eol, ttl, options...))
		name := ipns.NameFromPeer(must(peer.IDFromPublicKey(key.GetPublic())))
		out = append(out, row{What: "boxo: " + what, Name: name.String(),
			Record: base64.StdEncoding.EncodeToString(must(ipns.MarshalRecord(record)))})
	}
	seed := sha256.Sum256([]byte("ipnscast test vector boxo"))
	ed25519, _, err := ic.GenerateEd25519Key(bytes.NewReader(seed[:]))
	if err != nil {
		panic(err)
	}
	secp256k1 := must(ic.UnmarshalSecp256k1PrivateKey(seed[:]))
	rsa, _, err := ic.GenerateRSAKeyPair(2048, nil)
	if err != nil {
		panic(err)
	}
	ecdsa, _, err := ic.GenerateECDSAKeyPair(nil)
	if err != nil {
		panic(err)
	}
	add("Ed25519", ed25519, 0, time.Minute)
	add("Ed25519, V2 only", ed25519, 1, time.Minute, ipns.WithV1Compatibility(false))
	add("Ed25519, the key embedded", ed25519, 2, time.Minute, ipns.WithPublicKey(true))
	add("TTL 0", ed25519, 3, 0)
	add("the longest TTL that Go has", ed25519, 4, 1<<63-1)
	add("TTL below zero", ed25519, 5, -1)
	out[len(out)-1].Ours = "boxo refuses a TTL below zero from 0.43 on, and so does ipnscast"
	add("sequence 2^63 - 1", ed25519, 1<<63-1, time.Minute)
	add("sequence 2^63", ed25519, 1<<63, time.Minute)
	out[len(out)-1].Ours = "nothing could ever replace it"
	add("metadata of every kind", ed25519, 6, time.Minute, ipns.WithMetadata(map[string]any{
		"_text": "text", "_bytes": []byte{0, 255}, "_number": int64(-5), "_true": true}))
	add("secp256k1", secp256k1, 1, time.Minute)
	add("RSA", rsa, 1, time.Minute)
	add("RSA, the key not embedded", rsa, 1, time.Minute, ipns.WithPublicKey(false))
	add("ECDSA", ecdsa, 1, time.Minute, ipns.WithV1Compatibility(false))
	return out
}

func main() {
	var all file
	if err := json.NewDecoder(os.Stdin).Decode(&all); err != nil {
		panic(err)
	}
	all.Records = append(all.Records, made()...)
	for i := range all.Records {
		judge(&all.Records[i])
	}
	fmt.Println("{\"records\": [")
	for i, r := range all.Records {
		end := ","
		if i+1 == len(all.Records) {
			end = ""
		}
		fmt.Println(string(must(json.Marshal(r))) + end)
	}
	fmt.Println("]}")
}
