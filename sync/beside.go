package sync

import (
	"context"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// beside takes in what read sends, in another goroutine than this one, so that who sends needn't wait
// for us each time. As many things as waiting says may be sent and not taken in yet. What take says
// ends the reading.
func beside[T any](ctx context.Context, waiting int, read func(ctx context.Context, send func(T) error) error, take func(T) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	sent, ended := make(chan T, waiting), make(chan error, 1)
	go func() {
		defer close(sent)
		ended <- read(ctx, func(it T) error {
			select {
			case sent <- it:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	var problem error
	for it := range sent {
		if problem == nil {
			if problem = take(it); problem != nil {
				stop()
			}
		}
	}
	if err := <-ended; problem == nil {
		problem = err
	}
	return problem
}

// atOnce is how many rows are handed over at once.
const atOnce = 1024

// besideRows is beside for the rows of a Load, which are valid only until they were taken in: they are
// copied.
func besideRows(ctx context.Context, read func(each func(*store.Row) error) error, take func(*store.Row) error) error {
	return beside(ctx, 2, func(_ context.Context, send func([]store.Row) error) error {
		var rows []store.Row
		var texts [][]byte
		var buf []byte
		hand := func() error {
			err := send(rows)
			rows, texts, buf = make([]store.Row, 0, atOnce), make([][]byte, 0, cap(texts)), make([]byte, 0, len(buf)+len(buf)/8)
			return err
		}
		err := read(func(row *store.Row) error {
			first := len(texts)
			for _, text := range row.Texts {
				at := len(buf)
				buf = append(buf, text...)
				texts = append(texts, buf[at:len(buf):len(buf)])
			}
			rows = append(rows, *row)
			rows[len(rows)-1].Texts = texts[first:len(texts):len(texts)]
			if len(rows) < atOnce {
				return nil
			}
			return hand()
		})
		if err == nil && len(rows) > 0 {
			err = hand()
		}
		return err
	}, func(rows []store.Row) error {
		for i := range rows {
			if err := take(&rows[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// besidePairs is beside for the memberships of a Load.
func besidePairs(ctx context.Context, read func(each func(top, bottom models.ID) error) error, take func(top, bottom models.ID) error) error {
	return beside(ctx, 2, func(_ context.Context, send func([]store.Pair) error) error {
		var pairs []store.Pair
		err := read(func(top, bottom models.ID) error {
			if pairs = append(pairs, store.Pair{Top: top, Bottom: bottom}); len(pairs) < atOnce {
				return nil
			}
			full := pairs
			pairs = make([]store.Pair, 0, atOnce)
			return send(full)
		})
		if err == nil && len(pairs) > 0 {
			err = send(pairs)
		}
		return err
	}, func(pairs []store.Pair) error {
		for _, p := range pairs {
			if err := take(p.Top, p.Bottom); err != nil {
				return err
			}
		}
		return nil
	})
}
