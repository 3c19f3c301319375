package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/server"
	dirsync "github.com/rollcall-id/rollcall/sync"
)

// askedAtOnce is how many groups' members a full run asks its source for at once.
const askedAtOnce = 2000

// A readOrder tells the process "read" which directory to read.
type readOrder struct {
	Kind     models.Kind
	Settings map[string]string
	Again    bool // until it is stopped
}

// A reading is what was read, and how long that took.
type reading struct {
	Users, Groups, Members int
	Requests               int64
	Seconds                float64
}

// readBare reads a directory with the client and the requests of a full run, and throws all of it
// away.
func (o readOrder) readBare(ctx context.Context) error {
	if o.Again {
		fmt.Println("reads")
		for ctx.Err() == nil {
			if _, err := o.read(ctx); err != nil && ctx.Err() == nil {
				return err
			}
		}
		return nil
	}
	r, err := o.read(ctx)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(r)
}

func (o readOrder) read(ctx context.Context) (r reading, err error) {
	dir := &models.Directory{Name: "cloud", Kind: o.Kind, Settings: o.Settings}
	settings, err := dirsync.ReadSettings(dir)
	if err != nil {
		return r, err
	}
	source, err := server.Sources(slog.New(slog.DiscardHandler))(dir, settings.AttributeNames())
	if err != nil {
		return r, err
	}
	begun := time.Now()
	if _, err := source.Begin(ctx); err != nil {
		return r, err
	}
	if err := source.Users(ctx, "", func(page []dirsync.User, _ dirsync.Checkpoint) error {
		r.Users += len(page)
		return nil
	}); err != nil {
		return r, err
	}
	var ids []string // whose members are asked for
	if err := source.Groups(ctx, "", func(page []dirsync.Group, _ dirsync.Checkpoint) error {
		for i := range page {
			ids = append(ids, page[i].ID)
		}
		return nil
	}); err != nil {
		return r, err
	}
	r.Groups = len(ids)
	for chunk := range slices.Chunk(ids, askedAtOnce) {
		if err := source.Members(ctx, chunk, func(m dirsync.Members) error {
			r.Members += len(m.Members)
			return m.Unreadable
		}); err != nil {
			return r, err
		}
	}
	r.Seconds, r.Requests = time.Since(begun).Seconds(), source.Stats().Requests
	return r, nil
}

// readBare reads a cloud in a process of its own, as a run is one.
func (p *played) readBare(ctx context.Context) (r reading, err error) {
	out, err := runOnce(ctx, "read", order{Read: readOrder{Kind: p.shape.Kind, Settings: p.state.Settings}})
	if err != nil {
		return r, fmt.Errorf("read the made-up %s: %w", p.shape.Kind, err)
	}
	if err := json.Unmarshal(out, &r); err != nil {
		return r, fmt.Errorf("the bare reader told %q: %w", out, err)
	}
	if r.Users != p.state.Users || r.Groups != p.state.Groups || r.Members != p.state.Memberships {
		return r, fmt.Errorf("wrong answer: the bare reader found %+v in %+v", r, p.state)
	}
	return r, nil
}

// readAgain starts a process that drains the cloud again and again.
func (p *played) readAgain(ctx context.Context) (*process, error) {
	cmd, err := anchorCommand("read")
	if err != nil {
		return nil, err
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(order{Read: readOrder{p.shape.Kind, p.state.Settings, true}})
	if err != nil {
		return nil, err
	}
	go func() { _, _ = in.Write(text) }() // it reads once it runs
	reader, err := launch(ctx, cmd, func(line string) bool { return line == "reads" })
	if err != nil {
		return nil, err
	}
	reader.stdin = in
	return reader, nil
}
