package fakecloud

import "testing"

func FuzzGoogleMask(f *testing.F) {
	f.Add("nextPageToken,users(id,name/fullName)")
	f.Add("a(b(c(d)))")
	f.Add("*")
	f.Fuzz(func(t *testing.T, text string) {
		mask, ok := parseMask(text)
		if ok && text != "" && len(mask) == 0 {
			t.Errorf("%q names nothing", text)
		}
	})
}
