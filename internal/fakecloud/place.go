package fakecloud

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"strings"
)

// A sealer makes the tokens that stand for a place in a list. A token holds the place itself, so
// that links take no memory, with a seal over it and over the address that it was handed out
// for: one that a client made up, or took to another address, isn't opened.
type sealer struct{ key []byte }

func newSealer(seed uint64) sealer {
	return sealer{binary.BigEndian.AppendUint64(nil, mix(seed^saltLinks))}
}

// seal makes the token of a place in the list at an address.
func (s sealer) seal(address string, place any) string {
	data, err := json.Marshal(place)
	if err != nil {
		panic(err) // only our own plain structs come here
	}
	return base64.RawURLEncoding.EncodeToString(data) + "." + s.mac(address, data)
}

// open reads a token into place; false when it wasn't handed out for the address.
func (s sealer) open(address, token string, place any) bool {
	text, mac, _ := strings.Cut(token, ".")
	data, err := base64.RawURLEncoding.DecodeString(text)
	return err == nil && hmac.Equal([]byte(mac), []byte(s.mac(address, data))) && json.Unmarshal(data, place) == nil
}

func (s sealer) mac(address string, data []byte) string {
	h := hmac.New(sha256.New, s.key)
	h.Write([]byte(address))
	h.Write([]byte{0})
	h.Write(data)
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:12])
}
