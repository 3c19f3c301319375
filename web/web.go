package web

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"log/slog"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/login"
)

// Deps is what the pages are made of.
type Deps struct {
	Login *login.Service
	Log   *slog.Logger     // nil: nothing is logged
	Now   func() time.Time // of limits; nil: time.Now
}

type handler struct {
	login     *login.Service
	log       *slog.Logger
	addresses *limiter // of those who come with links that don't work, or try passwords
	accounts  *limiter // of those whose passwords are tried
}

// Register adds the pages to e.
func Register(e *echo.Echo, d Deps) {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	h := &handler{
		login: d.Login, log: d.Log,
		addresses: newLimiter(20, time.Hour, d.Now),
		accounts:  newLimiter(20, time.Hour, d.Now),
	}
	e.GET(login.ResetPath+":token", h.resetForm, guarded)
	e.HEAD(login.ResetPath+":token", h.resetForm, guarded)
	e.POST(login.ResetPath+":token", h.reset, guarded)
}

var (
	//go:embed style.css
	style string

	//go:embed reset.html
	resetText string

	resetPage = template.Must(template.New("reset").Parse(resetText))
)

// policy lets a page use its own style sheet and post to this server, and nothing else.
var policy = "default-src 'none'; style-src 'sha256-" + hashOf(style) + "'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// guarded sets what every page tells the browser.
func guarded(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		header := c.Response().Header()
		for name, value := range map[string]string{
			"Content-Security-Policy": policy,
			"Referrer-Policy":         "no-referrer",
			"Cache-Control":           "no-store",
			"X-Content-Type-Options":  "nosniff",
			"X-Frame-Options":         "DENY",
			"X-Robots-Tag":            "noindex, nofollow",
		} {
			header.Set(name, value)
		}
		return next(c)
	}
}

// show answers with a page, whole or not at all.
func show(c echo.Context, status int, page *template.Template, data any) error {
	var out bytes.Buffer
	if err := page.Execute(&out, data); err != nil {
		return err
	}
	return c.Blob(status, "text/html; charset=utf-8", out.Bytes())
}
