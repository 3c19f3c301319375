package api

import (
	"testing"

	"github.com/rollcall-id/rollcall/models"
)

func TestNegotiation(t *testing.T) {
	for _, c := range []struct {
		accept string
		want   Format
	}{
		{"", XML},
		{"*/*", XML},
		{"application/xml", XML},
		{"application/json", JSON},
		{"application/json; charset=utf-8", JSON},
		{"APPLICATION/JSON", JSON},
		{"application/json, text/plain, */*", JSON},                                   // axios
		{"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", XML},      // a browser
		{"text/html,application/xhtml+xml,*/*;q=0.8", XML},                            // another one
		{"text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", XML},                 // Java's HttpURLConnection
		{"application/xml, application/json", XML},                                    // the earlier one
		{"application/json, application/xml", JSON},                                   //
		{"application/json;q=0.5, application/xml;q=0.9", XML},                        // the better one
		{"application/json;q=0.9, application/xml;q=0.5", JSON},                       //
		{"application/json;q=0.5, */*;q=0.1", JSON},                                   //
		{"application/json;q=0.1, */*", XML},                                          // the range doesn't lift JSON
		{"application/*", XML},                                                        //
		{"application/xml;q=0, */*", JSON},                                            // anything but XML
		{"application/json;q=0, */*", XML},                                            //
		{"text/plain, application/json", JSON},                                        //
		{"application/json;q=1;level=2", JSON},                                        //
		{"application/json;q=0", Undecided},                                           //
		{"text/plain", Undecided},                                                     //
		{"text/html", Undecided},                                                      //
		{"image/*", Undecided},                                                        //
		{"application/json;q=NaN", Undecided},                                         //
		{"application/json;q=2", Undecided},                                           //
		{"garbage", Undecided},                                                        //
		{"application/atom+xml, application/json;q=high, application/xml;q=0.3", XML}, //
	} {
		if got := negotiate(c.accept); got != c.want {
			t.Errorf("negotiate(%q) = %v, want %v", c.accept, got, c.want)
		}
	}
}

func TestFormatOf(t *testing.T) {
	ctx, _ := request(t, get, "/", "", "Accept", "text/plain", "Accept", "application/json")
	if got, err := FormatOf(ctx); err != nil || got != JSON {
		t.Errorf("two Accept headers give %v, %v, want JSON", got, err)
	}
	ctx, _ = request(t, get, "/", "", "Accept", "text/plain")
	_, err := FormatOf(ctx)
	wantCode(t, err, models.NotAcceptable)

	Enter(ctx, nil, JSON, "")
	if got, err := FormatOf(ctx); err != nil || got != JSON {
		t.Errorf("a forced format gives %v, %v, want JSON", got, err)
	}
}
